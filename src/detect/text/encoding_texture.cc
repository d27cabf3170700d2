#include <algorithm>
#include <array>
#include <bit>
#include <bitset>

#include "detect/text/encoding.h"

namespace kura::detect::text {
namespace {

// Line ends, tab, form feed, backspace, the escape of terminals and ISO 2022, shifts (SO, SI), Ctrl-Z of DOS: texts
// have them.
constexpr std::uint32_t kUsual =
    1U << 8 | 1U << 9 | 1U << 10 | 1U << 12 | 1U << 13 | 1U << 14 | 1U << 15 | 1U << 26 | 1U << 27;
constexpr unsigned kStrangers = 24;  // the other 23 below 0x20, and DEL

bool is_stranger(std::uint8_t byte) { return byte < 0x20 ? (kUsual >> byte & 1) == 0 : byte == 0x7f; }

// Cheap, and enough for nearly all text: whether there is any control character but tab and line ends. Compiles to
// vectors.
bool has_control(base::ByteSpan bytes) {
  unsigned found = 0;
  for (const std::uint8_t byte : bytes) {
    found |= static_cast<unsigned>(byte < 0x20) & static_cast<unsigned>(static_cast<std::uint8_t>(byte - 9) > 4);
    found |= static_cast<unsigned>(byte == 0x7f);
  }
  return found != 0;
}

// Pages (of 256 code points) that modern texts hardly use more than a few of: private use, surrogates (when alone),
// CJK extension A, Yi and small scripts. Of random units they are four tenths.
bool is_rare_page(unsigned page) {
  return (page >= 0x07 && page <= 0x1d && page != 0x09 && page != 0x0e && page != 0x1e) ||
         (page >= 0x28 && page <= 0x2d) || (page >= 0x34 && page <= 0x4d) || (page >= 0xa0 && page <= 0xab) ||
         (page >= 0xd8 && page <= 0xf8);
}

std::uint32_t unit(base::ByteSpan bytes, std::size_t at, Encoding encoding) {
  switch (encoding) {
    case Encoding::kUtf16Little:
      return little<std::uint16_t>(bytes, at);
    case Encoding::kUtf16Big:
      return big<std::uint16_t>(bytes, at);
    case Encoding::kUtf32Little:
      return little<std::uint32_t>(bytes, at);
    default:
      return big<std::uint32_t>(bytes, at);
  }
}

struct Units {
  std::size_t all = 0;
  std::size_t rare = 0;  // and wrong ones
  std::size_t controls = 0;
  std::bitset<256> rare_pages;
};

Units count_units(base::ByteSpan bytes, Encoding encoding) {
  const bool two = encoding <= Encoding::kUtf16Big;
  const std::size_t width = two ? 2 : 4;
  Units units;
  bool after_high = false;
  for (std::size_t at = 0; at + width <= bytes.size(); at += width) {
    const std::uint32_t value = unit(bytes, at, encoding);
    ++units.all;
    if (value < 0x80) {
      if (is_stranger(static_cast<std::uint8_t>(value))) ++units.controls;
      after_high = false;
      continue;
    }
    const bool pair = two && after_high && (value & 0xfc00) == 0xdc00;
    after_high = two && (value & 0xfc00) == 0xd800;
    if (pair) {
      --units.rare;  // the first half is no longer alone
      continue;
    }
    if (value > 0x10ffff || (value <= 0xffff && is_rare_page(value >> 8))) {
      ++units.rare;
      units.rare_pages.set((two ? value >> 8 : value >> 3) & 0xff);
    }
  }
  return units;
}

}  // namespace

Texture texture(base::ByteSpan bytes) {
  if (!has_control(bytes)) return Texture::kText;
  std::array<std::uint32_t, 33> counts{};
  std::size_t strangers = 0;
  for (const std::uint8_t byte : bytes) {
    if (!is_stranger(byte)) continue;
    ++strangers;
    ++counts[byte == 0x7f ? 32 : byte];
  }
  if (strangers < 3 || strangers * 64 < bytes.size()) return Texture::kText;
  const auto distinct = static_cast<std::size_t>(std::ranges::count_if(counts, [](std::uint32_t n) { return n > 0; }));
  // Chi-square over the strangers: 23 +- 7 when they are random.
  const double expected = static_cast<double>(strangers) / kStrangers;
  double chi = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (i < 32 && (kUsual >> i & 1) != 0) continue;
    chi += (counts[i] - expected) * (counts[i] - expected) / expected;
  }
  if (distinct >= std::min<std::size_t>(8, strangers / 2 + 1) && chi < 75) return Texture::kRandom;
  return Texture::kOther;
}

Texture wide_texture(base::ByteSpan bytes, Encoding encoding) {
  const Units units = count_units(bytes, encoding);
  if (units.controls * 8 > units.all) return Texture::kOther;
  // All wrong units of UTF-32 may lie in one page of a small piece, so pages are only asked of UTF-16.
  const std::size_t pages = units.rare_pages.count();
  if (units.rare >= 3 && units.rare * 16 >= units.all && pages >= std::min<std::size_t>(12, units.rare / 3 + 2)) {
    return Texture::kRandom;
  }
  return Texture::kText;
}

}  // namespace kura::detect::text
