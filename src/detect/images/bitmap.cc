// Sizes have to agree with width, height and depth; run-length codes are followed; pixels that are not packed are a
// stretch.
#include "detect/images/bitmap.h"

#include <algorithm>
#include <array>

#include "detect/codec/inflate.h"

namespace kura::detect::bitmap {
namespace {

// Steps through RLE4 or RLE8; nothing, or what is wrong.
const char* runs(Window& in, Range range, bool four, std::uint64_t width, std::uint64_t height, Budget& budget) {
  std::uint64_t at = range.offset;
  std::uint64_t column = 0;
  std::uint64_t rows = 0;
  while (budget.spend(4)) {
    const auto code = in.big16(at);
    if (!code || at + 2 > range.end()) return rows + 1 >= height ? nullptr : "the file ends early, within the pixels";
    at += 2;
    const unsigned low = *code & 255U;
    column += *code > 255 ? *code >> 8U : low > 2 ? low : 0;
    if (column > width + 4) return "a row of pixels that is too long";
    if (*code > 255) continue;
    if (low == 0) column = 0;
    if (low == 0 && ++rows > height + 1) return "more rows of pixels than there are";
    if (low == 1) return nullptr;
    if (low == 2) {
      column += in.byte(at).value_or(0);
      rows += in.byte(at + 1).value_or(0);
      at += 2;
    }
    if (low > 2) at += ((four ? (low + 1) / 2 : low) + 1) & ~1U;
  }
  return nullptr;
}

constexpr std::array<std::uint32_t, 8> kHeaders = {12, 16, 40, 52, 56, 64, 108, 124};

}  // namespace

bool recognise(Window& in) {
  if (!in.has(0, "BM")) return false;
  const std::uint32_t header = in.little32(14).value_or(0);
  const std::uint32_t pixels = in.little32(10).value_or(0);
  const std::uint16_t planes = in.little16(header == 12 ? 22 : 26).value_or(0);
  return std::ranges::find(kHeaders, header) != kHeaders.end() && planes == 1 && pixels >= 14 + header &&
         pixels < 1U << 20;
}

Report check(Window& in, Budget& budget) {
  const bool old = in.little32(14) == 12;
  const std::uint64_t width = old ? in.little16(18).value_or(0) : in.little32(18).value_or(0);
  const auto signed_height = static_cast<std::int32_t>(in.little32(22).value_or(0));
  const std::uint64_t height =
      old ? in.little16(20).value_or(0) : static_cast<std::uint64_t>(std::abs(std::int64_t{signed_height}));
  const std::uint64_t bits = in.little16(old ? 24 : 28).value_or(0);
  const std::uint32_t packing = old ? 0 : in.little32(30).value_or(0);
  const std::uint64_t offset = in.little32(10).value_or(0);
  if (width == 0 || width > 1U << 24 || height > 1U << 24 || bits > 64)
    return broken(18, "a picture of an impossible size");
  if (offset > in.size()) return broken(in.size(), "the file ends early, before the pixels");
  if (packing == 1 || packing == 2) {
    if (const char* wrong = runs(in, {offset, in.size() - offset}, packing == 2, width, height, budget))
      return broken(offset, wrong);
    return budget.spent_out() ? over_budget() : whole();
  }
  if (packing > 6) return broken(30, "pixels packed in a way that does not exist");
  if (packing == 4 || packing == 5) return whole({{{offset, in.size() - offset}, Density::kDense}});
  const std::uint64_t pixels = (width * bits + 31) / 32 * 4 * height;
  if (pixels > in.size() - offset + 3) return broken(in.size(), "the file ends early, within the pixels");
  // Each colour changes little from one pixel to the next; of 16 bits, the higher byte.
  const Samples samples{static_cast<std::uint8_t>(std::max<std::uint64_t>(bits / 8, 1)),
                        static_cast<std::uint8_t>(bits == 16 ? 1 : 0)};
  return whole({{{offset, in.size() - offset}, Density::kPlain, samples}});
}

bool recognise_icon(Window& in) {
  const base::ByteSpan head = in.at(0, 22);
  if (head.size() < 22 || little<std::uint16_t>(head) != 0) return false;
  const std::uint16_t type = little<std::uint16_t>(head, 2);
  const std::uint32_t count = little<std::uint16_t>(head, 4);
  if ((type != 1 && type != 2) || count == 0 || count > 256 || head[9] > 1) return false;
  const std::uint32_t first = little<std::uint32_t>(head, 18);
  return first >= 6 + 16 * count && first < 6 + 16 * count + 65536 && first < in.size() &&
         little<std::uint32_t>(head, 14) > 40;
}

Report check_icon(Window& in, Budget& budget) {
  const std::uint64_t count = in.little16(4).value_or(0);
  std::vector<Stretch> stretches;
  for (std::uint64_t i = 0; i < count && budget.spend(64); ++i) {
    const std::uint64_t entry = 6 + 16 * i;
    const Range range{in.little32(entry + 12).value_or(0), in.little32(entry + 8).value_or(0)};
    if (range.offset > in.size() || range.size > in.size() - range.offset)
      return broken(in.size(), "the file ends early, before the end of a picture");
    const bool png = in.has(range.offset, "\x89PNG");
    if (!png && in.little32(range.offset) != 40U) return broken(range.offset, "a picture without its header");
    if (!png) {
      if (in.little16(range.offset + 12) != 1) return broken(range.offset, "a picture without its header");
      if (stretches.empty() || stretches.back().range.end() <= range.offset)
        add_stretch(stretches, {range, Density::kPlain});
      continue;
    }
    for (std::uint64_t at = range.offset + 8; at + 12 <= range.end() && budget.spend(32);) {
      const std::uint64_t length = in.big32(at).value_or(0);
      if (length > range.end() - at - 12) return broken(at, "a PNG picture within it is broken");
      const bool last = in.has(at + 4, "IEND");
      if (crc32(in, {at + 4, length + 4}, budget) != in.big32(at + 8 + length))
        return broken(at, "a checksum of a PNG picture within it is wrong");
      at += 12 + length;
      if (last) break;
    }
  }
  return budget.spent_out() ? over_budget() : whole(std::move(stretches));
}

}  // namespace kura::detect::bitmap
