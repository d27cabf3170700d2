#include "detect/databases/shell_link.h"

#include <algorithm>
#include <string>

namespace kura::detect::lnk {
namespace {

using namespace std::string_view_literals;

constexpr std::uint64_t kHead = 76;

// A list of items that ends with an empty one (2.2); nothing when it does not fit.
bool items_end(Window& in, Range list, Budget& budget) {
  std::uint64_t at = list.offset;
  while (list.end() - at >= 2 && budget.spend(8)) {
    const std::uint64_t size = in.little16(at).value_or(0);
    if (size == 0) return true;
    if (size < 2 || size > list.end() - at) return false;
    at += size;
  }
  return false;
}

// 2.5: blocks with known signatures, then a size of less than 4; some programs leave that one out.
Report extra_data(Window& in, std::uint64_t at, Budget& budget) {
  while (in.size() - at >= 8 && budget.spend(16)) {
    const std::uint64_t size = in.little32(at).value_or(0);
    if (size < 4) break;
    const std::uint32_t signature = in.little32(at + 4).value_or(0);
    if (size < 8 || (signature & 0xFFFFFF00) != 0xA0000000) return broken(at, "its extra data is damaged");
    if (size > in.size() - at) return broken(in.size(), "it ends early, in its extra data");
    at += size;
  }
  const std::uint64_t rest = std::min(at, in.size());
  return budget.spent_out() ? over_budget() : whole({{{rest, in.size() - rest}, Density::kPlain}});
}

}  // namespace

bool recognise(Window& in) { return in.has(0, "L\0\0\0\x01\x14\x02\0\0\0\0\0\xC0\0\0\0\0\0\0\x46"sv); }

Report check(Window& in, Budget& budget) {
  const std::uint32_t flags = in.little32(20).value_or(0);
  if (in.size() < kHead) return broken(in.size(), "it ends early, in its header");
  if (in.little16(66) != 0 || in.little32(68) != 0 || in.little32(72) != 0 || (flags >> 27) != 0) {
    return broken(66, "its header has values that do not exist");
  }
  std::uint64_t at = kHead;
  const auto take = [&](std::uint64_t size) {
    if (at > in.size() || size > in.size() - at) return false;
    at += size;
    return true;
  };
  const Report early = broken(in.size(), "it ends early, or a length in it is damaged");
  if ((flags & 1) != 0) {
    const std::uint64_t size = in.little16(at).value_or(0);
    const Range list{at + 2, size};
    if (!take(2 + size)) return early;
    if (!items_end(in, list, budget)) return broken(list.offset, "its list of folders is damaged");
  }
  if ((flags & 2) != 0) {
    const std::uint64_t size = in.little32(at).value_or(0);
    const std::uint64_t head = in.little32(at + 4).value_or(0);
    if (size < 28 || head < 28 || head > size) return broken(at, "its place is damaged");
    if (!take(size)) return early;
  }
  for (std::uint32_t bit = 2; bit <= 6; ++bit) {
    if ((flags >> bit & 1) == 0) continue;
    const std::uint64_t characters = in.little16(at).value_or(0);
    if (!take(2 + characters * ((flags & 0x80) != 0 ? 2 : 1))) return early;
  }
  return extra_data(in, at, budget);
}

}  // namespace kura::detect::lnk
