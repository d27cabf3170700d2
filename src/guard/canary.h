// Canaries: files that nobody needs, with names and contents like those around them. Whoever takes away what is in one
// is an attacker; so a walk through a folder that begins at either end meets one first.
//
// Each is a copy of one of the folder's own files (text with its lines in another order), named to come first and last,
// hidden from Windows' Explorer (DOS attribute), marked by the extended attribute user.kuramori.canary, and listed in
// the guard's memory.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "detect/judge/contents_judge.h"
#include "guard/state/memory.h"
#include "guard/watch/share.h"

namespace kura::guard {

struct CanaryCounts {
  std::uint64_t placed = 0, kept = 0, folders = 0;
};

// In each folder that has a fitting file (whole, of a known kind, up to 1 MiB) and no canaries yet: two.
base::Result<CanaryCounts> place_canaries(detect::ContentsJudge& judge, const Share& share, Memory& memory,
                                          const std::stop_token& stop);
// All; how many there were. A file without the mark is somebody's own, and stays.
std::uint64_t remove_canaries(const Share& share, Memory& memory);

// "report.docx" -> {"00 report.docx", "zz report.docx"}.
std::vector<std::string> canary_names(const std::string& name);
// Text: lines turned around. Anything else as it is.
std::string changed_copy(detect::ContentsJudge& judge, const std::string& contents, bool text);

inline constexpr const char* kCanaryMark = "user.kuramori.canary";

}  // namespace kura::guard
