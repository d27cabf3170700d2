#include "detect/documents/pdf_streams.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

#include "detect/codec/eexec.h"
#include "detect/codec/inflate.h"
#include "detect/documents/lzw.h"
#include "detect/documents/pdf_lexer.h"
#include "detect/documents/pictures.h"
#include "detect/grammar/noise.h"

namespace kura::detect::pdf {
namespace {

constexpr std::size_t kView = 64U << 10;
constexpr std::uint64_t kSloppyTail = 512;  // bytes that writers leave between a stream's data and "endstream"

constexpr std::uint64_t kSmall = 4096;

bool is_space(std::uint8_t c) { return c == 0 || c == 9 || c == 10 || c == 12 || c == 13 || c == 32; }

// Whether "endstream" (or "endobj", as some writers have it) follows `offset`, after white space.
bool ends_at(Window& in, std::uint64_t offset) {
  const base::ByteSpan bytes = in.at(offset, 32);
  const auto word = std::ranges::find_if_not(bytes, is_space);
  const std::string_view rest = base::as_text(base::ByteSpan(word, bytes.end()));
  return rest.starts_with("endstream") || rest.starts_with("endobj");
}

// After "stream" comes CR LF or LF (7.3.8.1); a CR alone and spaces before it are seen too.
std::uint64_t data_begins(Window& in, std::uint64_t offset) {
  const base::ByteSpan bytes = in.at(offset, 64);
  std::size_t i = 0;
  while (i < bytes.size() && bytes[i] == ' ') ++i;
  if (i < bytes.size() && bytes[i] == '\r') ++i;
  if (i < bytes.size() && bytes[i] == '\n') ++i;
  return offset + i;
}

// Whether the data ends as zlib's Z_SYNC_FLUSH ends it: Acrobat writes forms so, without a last block.
bool flushed(Window& in, std::uint64_t begin, std::uint64_t end) {
  return end - begin >= 4 && in.big32(end - 4) == 0x0000FFFF;
}

bool is_operator(std::string_view word) {
  // ISO 32000-1, annex A.
  constexpr std::string_view kAll =
      " b B b* B* BDC BMC BT BX c cm CS cs d d0 d1 Do DP EMC ET EX f F f* G g gs h i j J K k l m M MP n q Q re RG rg "
      "ri s "
      "S sc SC scn SCN sh T* Tc Td TD Tf Tj TJ TL Tm Tr Ts Tw Tz v w W W* y ' \" true false null ";
  const std::string framed = ' ' + std::string(word) + ' ';
  return word.find(' ') == std::string_view::npos && kAll.find(framed) != std::string_view::npos;
}

// Whether bytes are the program of a page and nothing else: what damage leaves of one has words that are none.
bool is_page_program(base::ByteSpan bytes) {
  MemoryInput input(bytes);
  Window window(input);
  Lexer lexer(window, 0);
  std::size_t operators = 0;
  while (true) {
    const Token token = lexer.next();
    if (token == Token::kFileEnd) return operators >= 4;
    if (token == Token::kBad || (token == Token::kKeyword && !is_operator(lexer.text()))) return false;
    operators += token == Token::kKeyword ? 1U : 0U;
  }
}

// A TrueType font, whose tables have checksums of their own, all right but that of "head", which holds another one.
bool is_whole_font(base::ByteSpan font) {
  if (font.size() < 12 || big<std::uint32_t>(font) != 0x00010000) return false;
  constexpr std::size_t kMostTables = 64;
  const std::size_t tables = big<std::uint16_t>(font, 4);
  if (tables == 0 || tables > kMostTables || font.size() < 12 + 16 * tables) return false;
  for (std::size_t i = 0; i < tables; ++i) {
    const base::ByteSpan entry = font.subspan(12 + 16 * i, 16);
    const std::size_t begin = big<std::uint32_t>(entry, 8);
    const std::size_t size = big<std::uint32_t>(entry, 12);
    if (begin > font.size() || size > font.size() - begin) return false;
    std::uint32_t sum = 0;
    for (std::size_t j = 0; j < size; ++j) sum += static_cast<std::uint32_t>(font[begin + j]) << (24 - j % 4 * 8);
    if (sum != big<std::uint32_t>(entry, 4) && base::as_text(entry.first(4)) != "head") return false;
  }
  return true;
}

// A few writers get the Adler-32 wrong and readers do not ask for it: no proof, when the data end where they are to end
// and are a page or a font as it should be.
bool only_sum_is_wrong(Window& in, Range data, Budget& budget) {
  constexpr std::size_t kMost = 1U << 20;
  base::Bytes page;
  const Sink keep = [&](base::ByteSpan piece) {
    if (piece.size() > kMost - page.size()) return false;
    page.insert(page.end(), piece.begin(), piece.end());
    return true;
  };
  const Inflated raw = inflate(in, {data.offset + 2, data.size - 2}, Wrapping::kRaw, budget, keep);
  const std::uint64_t rest = data.size - 2 - std::min(data.size - 2, raw.used);
  return raw.end == InflateEnd::kDone && raw.made == page.size() && rest >= 4 && rest < 8 &&
         budget.spend(2 * page.size()) && (is_page_program(page) || is_whole_font(page));
}

// The compressed data says itself where it ends. That the last block or the Adler-32 is missing or wrong, as some
// writers and many readers have it, is let pass only in small streams: Huffman codes fall into step again after damage,
// and in large ones the checksum alone would tell.
StreamFound flate(Window& in, Range range, bool length_known, Budget& budget) {
  StreamFound found;
  Range data = range;
  for (const base::ByteSpan lead = in.at(range.offset, 8);
       data.offset < range.end() && data.offset < range.offset + 4;) {
    const std::size_t i = static_cast<std::size_t>(data.offset - range.offset);
    if (i >= lead.size() || !is_space(lead[i])) break;
    ++data.offset;
    --data.size;
  }
  const Inflated unpacked = inflate(in, data, Wrapping::kZlib, budget);
  if (unpacked.end == InflateEnd::kOverBudget) return {StreamEnd::kOverBudget, 0, 0, {}};
  found.next = data.offset + unpacked.used;
  if (unpacked.end == InflateEnd::kDone && (!length_known || range.end() - found.next <= kSloppyTail)) return found;
  if (unpacked.end == InflateEnd::kDone) return {StreamEnd::kBroken, 0, found.next, {}};
  found.end = unpacked.end == InflateEnd::kEndsEarly && !length_known ? StreamEnd::kEndsEarly : StreamEnd::kBroken;
  found.at = found.next;
  if (data.size <= 2) return {StreamEnd::kHolds, range.end(), 0, {}};
  if (length_known && unpacked.end == InflateEnd::kBroken && data.size > kSmall &&
      only_sum_is_wrong(in, data, budget)) {
    return {StreamEnd::kHolds, range.end(), 0, {}};
  }
  if (!length_known || (data.size > kSmall && !flushed(in, data.offset, range.end()))) return found;
  if (unpacked.end == InflateEnd::kEndsEarly) return {StreamEnd::kHolds, range.end(), 0, {}};
  const Inflated raw = inflate(in, {data.offset + 2, data.size - 2}, Wrapping::kRaw, budget);
  const std::uint64_t rest = range.end() - (data.offset + 2 + raw.used);
  if (raw.end == InflateEnd::kDone && rest < 4 + 4) return {StreamEnd::kHolds, range.end(), 0, {}};
  return found;
}

bool is_digit(std::uint8_t c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
bool hexadecimal(std::uint8_t c) { return is_space(c) || c == '>' || is_digit(c); }
bool base85(std::uint8_t c) { return is_space(c) || (c >= '!' && c <= 'u') || c == 'z' || c == '~' || c == '>'; }

BrokenAt outside(Window& in, Range range, Budget& budget, bool (*allowed)(std::uint8_t)) {
  for (std::uint64_t offset = range.offset; offset < range.end();) {
    const base::ByteSpan bytes =
        in.at(offset, static_cast<std::size_t>(std::min<std::uint64_t>(kView, range.end() - offset)));
    if (bytes.empty() || !budget.spend(bytes.size())) return std::nullopt;
    const auto bad = std::ranges::find_if_not(bytes, allowed);
    if (bad != bytes.end()) return offset + static_cast<std::uint64_t>(bad - bytes.begin());
    offset += bytes.size();
  }
  return std::nullopt;
}

// RunLength (7.4.5): a length byte and what it says, up to 128.
BrokenAt runs_break(Window& in, Range range, Budget& budget) {
  std::uint64_t offset = range.offset;
  while (offset < range.end() && budget.spend(2)) {
    const std::uint8_t length = in.byte(offset).value_or(128);
    if (length == 128) return range.end() - offset > kSloppyTail ? BrokenAt(offset) : BrokenAt();
    offset += length < 128 ? 2ULL + length : 2ULL;
  }
  return std::nullopt;
}

// Some writers leave white space before the picture.
BrokenAt jpeg_after_space(Window& in, Range range, Budget& budget) {
  const base::ByteSpan lead = in.at(range.offset, 32);
  const std::size_t skip = base::as_text(lead).find("\xFF\xD8");
  if (skip == std::string_view::npos || skip > range.size) return range.offset;
  return jpeg_breaks(in, {range.offset + skip, range.size - skip}, budget);
}

// Plain, unless most of it looks random: fonts of Type 1 are encrypted by their format, applications keep data of their
// own, and files without a filter may be encrypted.
Density density(Window& in, Range range) {
  std::uint32_t random = 0;
  std::uint32_t seen = 0;
  for (std::uint32_t i = 0; i < 8 && range.size >= kNoisePiece; ++i) {
    const std::uint64_t offset = range.offset + (range.size - kNoisePiece) / 8 * i;
    random += looks_random(in.at(offset, kNoisePiece)) ? 1U : 0U;
    ++seen;
  }
  return random * 2 > seen ? Density::kDense : Density::kPlain;
}

bool is_text(base::ByteSpan bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t c) { return c >= 0x20 ? c < 0x7F : is_space(c) && c != 0; });
}

// A font of Type 1 (9.9) that is not packed: its private part says where it ends.
bool font_ends(Window& in, Range range, Budget& budget) {
  constexpr std::string_view kPrivate = "currentfile eexec";
  if (range.size > Window::kMost || !budget.spend(4 * range.size)) return true;
  const std::string_view font = base::as_text(in.at(range.offset, static_cast<std::size_t>(range.size)));
  std::size_t at = font.find(kPrivate);
  if (at == std::string_view::npos) return !foreign_block(in, range.offset, {&range, 1});
  at = font.find_first_not_of(" \t\r\n", at + kPrivate.size());
  if (at == std::string_view::npos) return false;
  return std::ranges::all_of(base::as_bytes(font.substr(at, 4)), is_digit) ||
         eexec_decrypted(font.substr(at)).contains("closefile");
}

// Of data that no filter packs: text stays text, but for pictures inside of a page's program; a block that looks random
// stands out of anything.
BrokenAt noise_in(Window& in, Range range, Budget& budget) {
  if (in.has(range.offset, "%!PS-AdobeFont") || in.has(range.offset, "%!FontType1")) {
    return font_ends(in, range, budget) ? BrokenAt() : BrokenAt(range.offset);
  }
  const bool text = is_text(in.at(range.offset, kNoisePiece)) && !in.has(range.offset, "%!");
  for (std::uint64_t at = range.offset; text && at + kNoisePiece <= range.end(); at += kNoisePiece) {
    if (!budget.spend(kNoisePiece)) return std::nullopt;
    if (!looks_random(in.at(at, kNoisePiece))) continue;
    if (in.byte(range.offset) == '<' || !find(in, "ID", range.offset, at + kNoisePiece, budget)) return at;
    break;
  }
  return foreign_block(in, range.offset, {&range, 1});
}

StreamFound unfiltered(Window& in, Range range, const StreamDict& dict, bool encrypted, Budget& budget) {
  const bool opaque = encrypted || !dict.filter.empty();
  if (!encrypted) {
    if (const BrokenAt at = noise_in(in, range, budget)) return {StreamEnd::kBroken, range.end(), *at, {}};
  }
  const Density is = opaque ? Density::kDense : density(in, range);
  return {StreamEnd::kUnproven, range.end(), 0, {range, is}};
}

StreamFound by_filter(Window& in, Range range, const StreamDict& dict, Budget& budget) {
  const std::string& filter = dict.filter;
  BrokenAt broken_at;
  if (filter == "DCTDecode" || filter == "DCT")
    broken_at = jpeg_after_space(in, range, budget);
  else if (filter == "JPXDecode")
    broken_at = jpeg2000_breaks(in, range, budget);
  else if (filter == "LZWDecode" || filter == "LZW")
    broken_at = lzw_breaks(in, range, budget);
  else if (filter == "ASCIIHexDecode" || filter == "AHx")
    broken_at = outside(in, range, budget, hexadecimal);
  else if (filter == "ASCII85Decode" || filter == "A85")
    broken_at = outside(in, range, budget, base85);
  else if (filter == "RunLengthDecode" || filter == "RL")
    broken_at = runs_break(in, range, budget);
  else
    return unfiltered(in, range, dict, false, budget);
  if (budget.spent_out()) return {StreamEnd::kOverBudget, 0, 0, {}};
  if (broken_at) return {StreamEnd::kBroken, range.end(), *broken_at, {}};
  return {StreamEnd::kHolds, range.end(), 0, {}};
}

}  // namespace

std::optional<std::uint64_t> find(Window& in, std::string_view word, std::uint64_t offset, std::uint64_t end,
                                  Budget& budget) {
  while (offset < end) {
    const base::ByteSpan bytes = in.at(offset, static_cast<std::size_t>(std::min<std::uint64_t>(end - offset, kView)));
    if (bytes.size() < word.size() || !budget.spend(bytes.size())) return std::nullopt;
    const void* found = ::memmem(bytes.data(), bytes.size(), word.data(), word.size());
    if (found != nullptr) {
      return offset + static_cast<std::uint64_t>(static_cast<const std::uint8_t*>(found) - bytes.data());
    }
    offset += bytes.size() - word.size() + 1;
  }
  return std::nullopt;
}

StreamFound check_stream(Window& in, std::uint64_t offset, const StreamDict& dict, bool encrypted, Budget& budget) {
  const std::uint64_t begins = data_begins(in, offset);
  Range range{begins, 0};
  // All of it in one view, when it fits: looking at its end first would read it twice.
  if (dict.has_length && dict.length < Window::kMost - 64) in.at(begins, static_cast<std::size_t>(dict.length) + 64);
  const bool exact =
      dict.has_length && dict.length <= in.size() - std::min(in.size(), begins) && ends_at(in, begins + dict.length);
  const bool packed = !encrypted && (dict.filter == "FlateDecode" || dict.filter == "Fl");
  if (exact) {
    range.size = dict.length;
  } else if (packed && !ends_at(in, begins)) {
    // Where it ends is known when it is unpacked; "endstream" must then be near.
    StreamFound found = flate(in, {begins, in.size() - std::min(in.size(), begins)}, false, budget);
    if (found.end == StreamEnd::kHolds && find(in, "endstream", found.next, found.next + kSloppyTail, budget))
      return found;
    if (found.end == StreamEnd::kOverBudget) return found;
  }
  if (!exact) {
    const auto word = find(in, "endstream", begins, in.size(), budget);
    if (!word) return {budget.spent_out() ? StreamEnd::kOverBudget : StreamEnd::kEndsEarly, 0, begins, {}};
    range.size = *word - begins;
  }
  if (dict.external || range.size == 0) return {StreamEnd::kHolds, range.end(), 0, {}};
  if (encrypted || dict.filter == "Crypt") return unfiltered(in, range, dict, true, budget);
  if (!packed) return by_filter(in, range, dict, budget);
  StreamFound found = flate(in, range, true, budget);
  found.next = range.end();
  if (found.end == StreamEnd::kEndsEarly) found.end = StreamEnd::kBroken;
  return found;
}

}  // namespace kura::detect::pdf
