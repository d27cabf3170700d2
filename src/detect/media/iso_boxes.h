// Boxes of ISO base media files (ISO/IEC 14496-12): MP4, QuickTime, HEIC, AVIF.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "detect/grammar/report.h"

namespace kura::detect::iso {

struct Box {
  std::string type;  // four bytes
  Range whole;       // with its header
  Range body;
};

// The box at `offset` of what ends at `end`; nothing when there can be none (its type is no text, or it goes beyond).
std::optional<Box> box_at(Window& in, std::uint64_t offset, std::uint64_t end);

// Walks the boxes within `range`; false when they do not fill it. `visit` gets each and may return false to end it.
// A container of QuickTime may end with four zeros.
template <typename Visit>
bool each_box(Window& in, Range range, Budget& budget, const Visit& visit) {
  std::uint64_t at = range.offset;
  while (range.end() - at >= 8) {
    if (!budget.spend(64)) return false;
    const std::optional<Box> box = box_at(in, at, range.end());
    if (!box || !visit(*box)) return false;
    at = box->whole.end();
  }
  for (; at < range.end(); ++at) {
    if (in.byte(at).value_or(1) != 0) return false;
  }
  return true;
}

}  // namespace kura::detect::iso
