// Whether a small text is a ransom note. One sign proves nothing (news pages, manuals of security programs, lists of
// wallets); a note tells its reader what was done to *his* files, how to get them back, and whom to reach or pay.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "detect/input/window.h"

namespace kura::detect {

inline constexpr std::size_t kLargestNote = 64U << 10;

struct RansomNote {
  bool is_note = false;
  int score = 0;                      // from 0 to 10 or so
  std::vector<std::string> evidence;  // in words, fit to be shown
};

// `text` is UTF-8; markup of HTML and RTF may still be in it. `name` is the file's, without folders.
RansomNote judge_note(std::string_view text, std::string_view name);

// The same of a file, from UTF-8, UTF-16 or 8-bit text. What is larger than kLargestNote is no note.
RansomNote judge_note(Window& in, std::string_view name);

}  // namespace kura::detect
