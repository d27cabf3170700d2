#include "detect/documents/lzw.h"

#include <algorithm>

namespace kura::detect {

// A code must be one that is in the table by then. Whether codes grow a code early (the usual) or not is told by
// /EarlyChange; both are followed at once: the data holds when it does in one of the two.
BrokenAt lzw_breaks(Window& in, Range range, Budget& budget) {
  constexpr std::uint32_t kClear = 256;
  constexpr std::uint32_t kEnd = 257;
  constexpr std::uint64_t kTail = 64;
  BrokenAt broken_at;
  for (const std::uint32_t early : {1U, 0U}) {
    std::uint64_t offset = range.offset;
    std::uint32_t bits = 0;
    std::uint32_t held = 0;
    std::uint32_t width = 9;
    std::uint32_t next = 258;
    bool first = true;
    broken_at.reset();
    while (budget.spend(1)) {
      while (held < width && offset < range.end()) {
        bits = bits << 8 | in.byte(offset++).value_or(0);
        held += 8;
      }
      if (held < width) return std::nullopt;  // some writers leave out the end
      held -= width;
      const std::uint32_t code = bits >> held & ((1U << width) - 1);
      if (code == kEnd && range.end() - offset <= kTail) return std::nullopt;
      if (code == kEnd || (code > next - (first ? 1 : 0) && code != kClear)) {
        broken_at = offset;
        break;
      }
      if (code == kClear) {
        width = 9;
        next = 258;
        first = true;
        continue;
      }
      if (!first && next < 4096) ++next;
      first = false;
      while (width < 12 && next + early >= 1U << width) ++width;
    }
    if (!broken_at) return std::nullopt;
  }
  return broken_at;
}

}  // namespace kura::detect
