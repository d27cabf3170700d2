// The streams of a PDF file (ISO 32000-1, 7.3.8 and 7.4): where they end, and whether their first filter can undo them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect::pdf {

// What the dictionary before a stream says of it; only what is needed.
struct StreamDict {
  std::string filter;  // the first one; empty: none
  std::string type;
  std::uint64_t length = 0;
  bool has_length = false;  // a number, not a reference
  bool external = false;    // /F: the data is in another file
};

enum class StreamEnd : std::uint8_t { kHolds, kBroken, kEndsEarly, kUnproven, kOverBudget };

struct StreamFound {
  StreamEnd end = StreamEnd::kHolds;
  std::uint64_t next = 0;  // for kHolds and kUnproven: at the word endstream or where it should be
  std::uint64_t at = 0;    // for kBroken
  Stretch unproven;        // for kUnproven
};

// `offset` is behind the word "stream". `encrypted`: the file has a security handler, so that no filter can be undone.
StreamFound check_stream(Window& in, std::uint64_t offset, const StreamDict& dict, bool encrypted, Budget& budget);

// The first place of `word` at or after `offset`; nothing when there is none before `end` or the budget is spent.
std::optional<std::uint64_t> find(Window& in, std::string_view word, std::uint64_t offset, std::uint64_t end,
                                  Budget& budget);

}  // namespace kura::detect::pdf
