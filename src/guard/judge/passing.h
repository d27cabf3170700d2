// Files that came and went: which of them are one file, encrypted under a new name.
#pragma once

#include <deque>
#include <optional>
#include <string>

#include "guard/actors/actor.h"

namespace kura::guard {

struct PassingPair {
  Passing came, went;
};

// Adds one; the oldest goes when there are too many.
void note_passing(std::deque<Passing>& all, Passing passing);
void rename_passing(std::deque<Passing>& all, const std::string& from, const std::string& to);
// Takes a pair out: by names ("a.docx", "a.docx.locked"), else by sizes as encryption leaves them: equal but for a
// header or a trailer, or a third longer (base64), within ten minutes, unless what came is a copy that broke off.
std::optional<PassingPair> take_pair(std::deque<Passing>& came, std::deque<Passing>& went);
bool sizes_fit(std::uint64_t went, std::uint64_t came);
// In how many folders the newest one's name is, with about the same size.
std::size_t folders_with_same(const std::deque<Passing>& all);

// Adds one; the oldest go, as far as there are too many, or too much is kept of the disk by them.
void note_gone(std::deque<GoneFile>& all, GoneFile gone);
// Lets those go that went before `time`.
void forget_gone(std::deque<GoneFile>& all, std::int64_t time);

}  // namespace kura::guard
