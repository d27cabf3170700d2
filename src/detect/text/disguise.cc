#include "detect/text/disguise.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace kura::detect {
namespace disguise {
namespace {

using Coding = Disguise::Coding;

constexpr std::size_t kLeast = 1200;  // bytes of a file; below, chance is too strong
constexpr std::size_t kHeadBytes = 64;
constexpr std::size_t kLongestMark = 16;
constexpr double kSlack = 0.16;  // bits; chance alone makes 0.05 with 64 signs in 1 KiB, 0.07 with 85

enum : std::uint8_t {
  kIsLowerHex = 1,
  kIsUpperHex = 2,
  kIsBase32 = 4,
  kIsBase64 = 8,
  kIsUrl64 = 16,
  kIsPrintable = 32
};

constexpr std::array<std::uint8_t, 256> kClasses = [] {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned c = 0x21; c < 0x7f; ++c) {
    const bool digit = c >= '0' && c <= '9';
    const bool upper = c >= 'A' && c <= 'Z';
    const bool lower = c >= 'a' && c <= 'z';
    unsigned is = kIsPrintable;
    if (digit || (c >= 'a' && c <= 'f')) is |= kIsLowerHex;
    if (digit || (c >= 'A' && c <= 'F')) is |= kIsUpperHex;
    if (upper || (c >= '2' && c <= '7') || c == '=') is |= kIsBase32;
    if (digit || upper || lower || c == '+' || c == '/' || c == '=') is |= kIsBase64;
    if (digit || upper || lower || c == '-' || c == '_' || c == '=') is |= kIsUrl64;
    classes[c] = static_cast<std::uint8_t>(is);
  }
  classes['\r'] = classes['\n'] = 0xff;
  return classes;
}();

using Counts = std::array<std::uint32_t, 256>;

double entropy(const Counts& counts, double total) {
  double bits = 0;
  for (const std::uint32_t count : counts) {
    if (count > 0) bits -= count * std::log2(count / total);
  }
  return bits / total;
}

// The code that a piece is in, if it uses all signs of that code equally often.
Coding coding_of(base::ByteSpan piece) {
  Counts counts{};
  std::uint8_t classes = 0xff;
  for (const std::uint8_t byte : piece) {
    classes &= kClasses[byte];
    ++counts[byte];
  }
  if (classes == 0) return Coding::kNone;
  const std::size_t ends = counts['\r'] + counts['\n'] + counts['='];
  const auto total = static_cast<double>(piece.size() - ends);
  if (total < 256 || ends * 20 > piece.size()) return Coding::kNone;
  counts['\r'] = counts['\n'] = counts['='] = 0;
  const double bits = entropy(counts, total);
  const auto distinct = static_cast<std::size_t>(std::ranges::count_if(counts, [](std::uint32_t n) { return n > 0; }));
  const double slack = kSlack * std::max(1.0, 1024 / total);
  if ((classes & (kIsLowerHex | kIsUpperHex)) != 0) return bits > 4 - slack / 2 ? Coding::kHex : Coding::kNone;
  if ((classes & kIsBase32) != 0) return bits > 5 - slack ? Coding::kBase32 : Coding::kNone;
  if ((classes & (kIsBase64 | kIsUrl64)) != 0) return bits > 6 - slack ? Coding::kBase64 : Coding::kNone;
  const bool even = distinct >= 80 && bits > std::log2(static_cast<double>(distinct)) - slack;
  return even ? Coding::kBase85 : Coding::kNone;
}

std::optional<unsigned> digit64(std::uint8_t c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return std::nullopt;
}

std::optional<unsigned> digit16(std::uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

base::Bytes decode_head(base::ByteSpan piece, Coding coding) {
  base::Bytes out;
  if (coding != Coding::kBase64 && coding != Coding::kHex) return out;
  const unsigned width = coding == Coding::kBase64 ? 6 : 4;
  unsigned held = 0;
  unsigned bits = 0;
  for (const std::uint8_t c : piece) {
    const auto digit = width == 6 ? digit64(c) : digit16(c);
    if (!digit) continue;
    held = (held << width | *digit) & 0xffff;
    bits += width;
    if (bits < 8) continue;
    bits -= 8;
    out.push_back(static_cast<std::uint8_t>(held >> bits));
    if (out.size() == kHeadBytes) break;
  }
  return out;
}

// Lines as long as digests or keys are in hexadecimal or base64, and more than one of them: a list.
bool is_list(base::ByteSpan piece, Coding coding) {
  std::string_view text = base::as_text(piece);
  const std::size_t first = text.find('\n');
  if (first == std::string_view::npos) return false;
  text.remove_prefix(first + 1);
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return false;
  std::string_view line = text.substr(0, end);
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.ends_with('=')) return true;
  // 64 is also a usual width of base64, so only of hexadecimal.
  static constexpr std::size_t kDigests[] = {8, 16, 32, 40, 48, 56, 64, 96, 128};
  return coding == Coding::kHex && std::ranges::find(kDigests, line.size()) != std::end(kDigests);
}

bool is_one_word(base::ByteSpan piece) {
  return std::ranges::none_of(piece, [](std::uint8_t c) { return c <= 0x20 && c != '\r' && c != '\n'; });
}

// How files begin that people do send as text.
bool is_known_beginning(base::ByteSpan head) {
  static constexpr std::string_view kBeginnings[] = {"PK\3\4",
                                                     "\x1f\x8b\x08",
                                                     "\x89PNG",
                                                     "\xff\xd8\xff",
                                                     "GIF8",
                                                     "%PDF-",
                                                     "BZh",
                                                     "\xfd"
                                                     "7zXZ",
                                                     "7z\xbc\xaf",
                                                     "\x28\xb5\x2f\xfd",
                                                     "RIFF",
                                                     "\x7f"
                                                     "ELF",
                                                     "MZ",
                                                     "OggS",
                                                     "ID3",
                                                     "wOFF",
                                                     "wOF2",
                                                     "OTTO",
                                                     "true",
                                                     "\xd0\xcf\x11\xe0",
                                                     "Rar!",
                                                     "SQLite",
                                                     "x\x9c",
                                                     "x\xda",
                                                     "x\x01",
                                                     "x\x5e",
                                                     "\x30\x82",
                                                     "\x30\x80",
                                                     "<svg",
                                                     "<?xml",
                                                     "FWS",
                                                     "CWS",
                                                     "SSH-",
                                                     "ssh-",
                                                     "BM",
                                                     "II*",
                                                     "fLaC",
                                                     "\xed\xab\xee\xdb",
                                                     "PUFF"};
  const std::string_view text = base::as_text(head);
  if (std::ranges::any_of(kBeginnings, [&](std::string_view known) { return text.starts_with(known); })) return true;
  if (text.size() > 12 && text.substr(4, 4) == "ftyp") return true;
  return text.starts_with(std::string_view("\0\1\0\0\0", 5)) || text.starts_with(std::string_view("\0asm", 4)) ||
         text.starts_with(std::string_view("\0\0\0\7ssh-", 8));
}

}  // namespace
}  // namespace disguise

void Disguise::look_for_armour(base::ByteSpan bytes) {
  if (armour_) return;
  static constexpr std::string_view kMarks[] = {
      "-----BEGIN", "begin ",        "begin-base64", "data:", "base64", "Base64",
      "BASE64",     "ANSIBLE_VAULT", "=ybegin",      "<?xml", "{\"",    "ssh-"};
  const std::string_view text = base::as_text(bytes);
  armour_ =
      std::ranges::any_of(kMarks, [&](std::string_view mark) { return text.find(mark) != std::string_view::npos; });
}

void Disguise::begin(base::ByteSpan piece, Coding coding) {
  // A mark may lie across the two: its end is of the code's signs.
  before_ += base::as_text(piece.first(std::min(piece.size(), disguise::kLongestMark)));
  look_for_armour(base::as_bytes(before_));
  if (coding_ != Coding::kNone) return;
  coding_ = coding;
  decoded_ = disguise::decode_head(piece, coding);
  list_ = disguise::is_list(piece, coding);
}

void Disguise::add(base::ByteSpan piece) {
  seen_ += piece.size();
  // A vector loop: with spaces it is no code, and that is nearly everything.
  std::size_t blanks = 0;
  for (const std::uint8_t byte : piece) blanks += static_cast<std::size_t>(byte <= 0x20);
  Coding coding = Coding::kNone;
  const bool may_be_code = blanks * 20 <= piece.size();
  if (may_be_code) coding = disguise::coding_of(piece);
  // The last piece of a file may be too short to be told.
  if (coding == Coding::kNone && before_is_code_ && piece.size() < 512) coding = coding_;
  if (coding == Coding::kNone) {
    // The code of a picture's plain parts uses some signs more than others: what it said of itself stands before them.
    if (!armour_ && !(may_be_code && disguise::is_one_word(piece) && !before_.empty())) {
      before_.erase(0, before_.size() - std::min(before_.size(), disguise::kLongestMark));
      before_ += base::as_text(piece);
    }
    before_is_code_ = false;
    return;
  }
  if (!before_is_code_) begin(piece, coding);
  before_is_code_ = true;
  coded_ += piece.size();
}

bool Disguise::is_suspicious() const {
  if (seen_ < disguise::kLeast || coded_ < seen_ / 10 * 9 || armour_ || list_) return false;
  return !disguise::is_known_beginning(decoded_) && !is_declared_cipher();
}

bool Disguise::is_declared_cipher() const {
  return coded_ >= seen_ / 10 * 9 && seen_ > 0 && base::as_text(decoded_).starts_with("Salted__");
}

std::string Disguise::evidence() const {
  static constexpr std::string_view kNames[] = {"", "hexadecimal digits", "base32", "base64", "base85 or the like"};
  return "it is " + std::string(kNames[static_cast<std::size_t>(coding_)]) + " of what looks random";
}

Disguise find_disguise(Window& in, Budget& budget) {
  constexpr std::size_t kView = 64U << 10;
  Disguise found;
  for (std::uint64_t at = 0; at < in.size() && budget.spend(kView);) {
    const base::ByteSpan bytes = in.at(at, kView);
    if (bytes.empty()) break;
    for (std::size_t i = 0; i < bytes.size(); i += 1024) {
      found.add(bytes.subspan(i, std::min<std::size_t>(1024, bytes.size() - i)));
    }
    at += bytes.size();
  }
  return found;
}

}  // namespace kura::detect
