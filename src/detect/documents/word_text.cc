// Word's documents: the pieces of text and the pages of formatting ([MS-DOC] 2.4.1, 2.9.38, 2.9.33).
#include <algorithm>

#include "detect/documents/office_records.h"
#include "detect/grammar/noise.h"

namespace kura::detect::office {
namespace {

constexpr std::size_t kTextWindow = 256;

// Characters that Word gives no meaning and code page 1252 no glyph.
bool odd_narrow(std::uint8_t c) {
  return c == 0x06 || (c >= 0x0F && c <= 0x12) || (c >= 0x16 && c <= 0x1B) || c == 0x7F || c == 0x81 || c == 0x8D ||
         c == 0x8F || c == 0x90 || c == 0x9D;
}

// Private characters but those of symbol fonts.
bool odd_wide(std::uint8_t high) { return (high >= 0xE0 && high <= 0xEF) || (high >= 0xF2 && high <= 0xF7); }

// In random bytes 6 of a hundred are odd, in random UTF-16 9 of a hundred.
bool odd_text(base::ByteSpan bytes, bool wide) {
  std::size_t odd = 0;
  if (wide) {
    for (std::size_t i = 1; i < bytes.size(); i += 2) odd += odd_wide(bytes[i]) ? 1U : 0U;
    return odd * 21 > bytes.size();
  }
  for (const std::uint8_t c : bytes) odd += odd_narrow(c) ? 1U : 0U;
  return odd * 32 > bytes.size();
}

Verdict check_text(Window& document, Range range, bool wide, Budget& budget) {
  if (range.offset > document.size() || range.size > document.size() - range.offset) {
    return breaks(document.size(), "ends early: its text is not all there");
  }
  for (std::uint64_t offset = range.offset; offset < range.end(); offset += kTextWindow) {
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(kTextWindow, range.end() - offset));
    if (!budget.spend(length)) return holds();
    if (length >= 64 && odd_text(document.at(offset, length), wide))
      return breaks(offset, "has no text where its text belongs");
  }
  return check_plain(document, range, budget);
}

// The pages of 512 bytes that a PlcBte names begin with ascending positions.
Verdict check_pages(Window& document, Window& table, Range plc, Budget& budget) {
  if (plc.size < 4 || plc.size > table.size() || plc.offset > table.size() - plc.size) return holds();
  const std::uint64_t count = (plc.size - 4) / 8;
  for (std::uint64_t i = 0; i < count && budget.spend(kNoisePiece); ++i) {
    const std::uint64_t page = table.little32(plc.offset + 4 * (count + 1) + 4 * i).value_or(0) & 0x3FFFFF;
    const base::ByteSpan bytes = document.at(page * 512, 512);
    if (bytes.size() < 512) continue;
    const std::size_t runs = bytes[511];
    if (runs == 0 || runs > 101) return breaks(page * 512, "has a damaged page of formatting");
    for (std::size_t j = 0; j < runs; ++j) {
      if (little<std::uint32_t>(bytes, 4 * j) > little<std::uint32_t>(bytes, 4 * j + 4)) {
        return breaks(page * 512 + 4 * j, "has a damaged page of formatting");
      }
    }
  }
  return holds();
}

Verdict check_pieces(Window& document, Window& table, Range pieces, Budget& budget) {
  const std::uint64_t count = (pieces.size - 4) / 12;
  for (std::uint64_t i = 0; i < count && budget.spend(16); ++i) {
    const std::uint32_t from = table.little32(pieces.offset + 4 * i).value_or(0);
    const std::uint32_t to = table.little32(pieces.offset + 4 * i + 4).value_or(0);
    if (to < from) return breaks(0, "has a damaged table of its text");
    const std::uint32_t place = table.little32(pieces.offset + 4 * (count + 1) + 8 * i + 2).value_or(0);
    const bool wide = (place & 0x40000000) == 0;
    const std::uint64_t begin = wide ? place : (place & 0x3FFFFFFF) / 2;
    const std::uint64_t length = static_cast<std::uint64_t>(to - from) * (wide ? 2 : 1);
    Verdict text = check_text(document, {begin, length}, wide, budget);
    if (text.broken) return text;
  }
  return holds();
}

// The piece table lies behind property changes (2.9.38).
Verdict check_clx(Window& document, Window& table, Range clx, Budget& budget) {
  if (clx.size > table.size() || clx.offset > table.size() - clx.size)
    return breaks(0x1A2, "names no table of its text");
  std::uint64_t offset = clx.offset;
  while (offset < clx.end() && table.byte(offset) == 1 && budget.spend(16)) {
    offset += 3ULL + table.little16(offset + 1).value_or(0);
  }
  const std::uint64_t length = table.little32(offset + 1).value_or(0);
  const bool fits = offset + 5 <= clx.end() && length >= 4 && length <= clx.end() - offset - 5;
  if (table.byte(offset) != 2 || !fits) return breaks(0x1A2, "has a damaged table of its text");
  return check_pieces(document, table, {offset + 5, length}, budget);
}

}  // namespace

Verdict check_word(Window& document, Window& table, Budget& budget) {
  const std::uint16_t magic = document.little16(0).value_or(0);
  if (magic != 0xA5EC && magic != 0xA5DC && magic != 0xA5DB) {  // of Word for other systems, or a decoy
    return check_plain(document, {0, std::min<std::uint64_t>(document.size(), 8 * kNoisePiece)}, budget);
  }
  const std::uint16_t version = document.little16(2).value_or(0);
  const std::uint16_t flags = document.little16(10).value_or(0);
  if ((flags & 0x0100) != 0) return {false, true, 0, {}};
  if (version < 0x00C1 || table.size() == 0) {  // Word 6 and 95: text in one stretch, unless saved in haste
    const std::uint64_t begin = document.little32(0x18).value_or(0);
    const std::uint64_t end = document.little32(0x1C).value_or(0);
    if ((flags & 0x0004) != 0 || end <= begin || end > document.size()) return holds();
    return check_plain(document, {begin, end - begin}, budget);
  }
  const auto range = [&](std::uint64_t at) {
    return Range{document.little32(at).value_or(0), document.little32(at + 4).value_or(0)};
  };
  Verdict text = check_clx(document, table, range(0x1A2), budget);
  if (!text.broken) text = check_pages(document, table, range(0xFA), budget);
  if (!text.broken) text = check_pages(document, table, range(0x102), budget);
  return text;
}

}  // namespace kura::detect::office
