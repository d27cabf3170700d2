// Every byte is in a page, and every page has a CRC-32 (polynomial 0x04C11DB7, high bits first, begun with zero).
#include "detect/media/ogg.h"

#include <isa-l/crc.h>

#include <algorithm>
#include <array>

namespace kura::detect::ogg {
namespace {

constexpr std::size_t kMostPage = 27 + 255 + 255 * 255;

std::uint32_t sum_of(base::ByteSpan page) {
  // ISA-L inverts before and after; and the field counts as zero.
  static constexpr std::array<std::uint8_t, 4> kNone{};
  const auto add = [](std::uint32_t sum, base::ByteSpan bytes) {
    return ~crc32_ieee(~sum, bytes.data(), bytes.size());
  };
  return add(add(add(0, page.first(22)), kNone), page.subspan(26));
}

}  // namespace

bool recognise(Window& in) { return in.has(0, std::string_view("OggS\0", 5)); }

Report check(Window& in, Budget& budget) {
  std::uint64_t at = 0;
  while (at < in.size()) {
    const base::ByteSpan page = in.at(at, kMostPage);
    if (!budget.spend(64)) return over_budget();
    if (page.size() < 27) return broken(in.size(), "the file ends early, within a page");
    if (base::as_text(page.first(4)) != "OggS") return broken(at, "there is no page where one has to be");
    const std::size_t segments = page[26];
    std::size_t size = 27 + segments;
    if (page.size() < size) return broken(in.size(), "the file ends early, within a page");
    for (std::size_t i = 0; i < segments; ++i) size += page[27 + i];
    if (page.size() < size) return broken(in.size(), "the file ends early, within a page");
    if (!budget.spend(size)) return over_budget();
    if (sum_of(page.first(size)) != little<std::uint32_t>(page, 22))
      return broken(at, "the checksum of a page is wrong");
    at += size;
    // Some programs put an ID3v1 tag or zeros behind.
    if (in.size() - at <= 128 && !in.has(at, "OggS")) break;
  }
  return whole();
}

}  // namespace kura::detect::ogg
