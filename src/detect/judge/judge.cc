#include "detect/judge/judge.h"

#include <algorithm>
#include <array>
#include <span>

#include <fmt/format.h>

#include "base/escape.h"
#include "detect/grammar/noise.h"
#include "detect/judge/names.h"
#include "detect/kinds/kinds.h"
#include "detect/stats/byte_counts.h"
#include "detect/text/encoding.h"
#include "detect/text/ransom_note.h"

namespace kura::detect {
namespace {

constexpr std::uint64_t kTellingSize = 256;  // bytes; of fewer, statistics say nothing by themselves
constexpr unsigned kLeastIslands = 2;        // one will do among samples
constexpr std::size_t kLeastStrewn = 64;     // bytes of a text

Judgement judged(Verdict verdict, const Kind* kind, std::string reason) {
  Judgement judgement{verdict, kind != nullptr ? std::string(kind->name) : std::string(), {}};
  if (!reason.empty()) judgement.reasons.push_back(std::move(reason));
  return judgement;
}

// What the name promises, also under an extension that somebody put behind it.
const Kind* promise_of(std::string_view name) {
  if (const Kind* kind = promised_by(name)) return kind;
  for (const std::string& before : names_before(name)) {
    if (const Kind* kind = promised_by(before)) return kind;
  }
  return nullptr;
}

// ---- Stretches that a grammar says nothing of ----

// What is wrong with a stretch of plain contents, or nothing.
std::string wrong_in(Window& in, const Stretch& stretch, const Texture& texture) {
  const Range& range = stretch.range;
  const auto& [sample, highest] = stretch.samples;
  const auto column = sample > 0 ? std::optional(Column{sample, range.offset + highest}) : std::nullopt;
  const Islands islands = find_islands(in, range, texture, column);
  if (islands.sharp >= (column ? 1 : kLeastIslands) && islands.sharp * 4 >= islands.runs * 3) {
    return fmt::format("{} separate run{} of whole 4 KiB blocks look{} random among contents that are not",
                       islands.sharp, islands.sharp == 1 ? "" : "s", islands.sharp == 1 ? "s" : "");
  }
  if (column) {
    if (const auto at = foreign_block(in, range.offset, std::span(&range, 1))) {
      return fmt::format("whole blocks of 4 KiB look random, at byte {}, and what is around them does not", *at);
    }
  }
  if (const auto share = find_interleaving(in, range)) {
    return fmt::format("pieces that look random alternate regularly with ones that do not ({:.0f} % of the bytes)",
                       *share * 100);
  }
  const std::uint64_t first = (range.offset + kBlock - 1) / kBlock;
  const std::uint64_t size = in.size();
  const std::uint64_t end = range.end() >= size ? (size + kBlock - 1) / kBlock : range.end() / kBlock;
  std::uint64_t random = 0;
  for (std::uint64_t block = first; block < end; ++block) random += texture.random.has(block) ? 1 : 0;
  if (end > first && random >= 4 && random * 20 >= (end - first) * 19) {
    return "what should be records or samples looks random";
  }
  return {};
}

std::string wrong_in_stretches(Window& in, const std::vector<Stretch>& stretches, const Texture& texture) {
  for (const Stretch& stretch : stretches) {
    if (stretch.density != Density::kPlain) continue;
    std::string wrong = wrong_in(in, stretch, texture);
    if (!wrong.empty()) return fmt::format("from byte {} on, {}", stretch.range.offset, wrong);
  }
  return {};
}

Judgement judge_known(Window& in, const Kind& kind, Version& version) {
  Budget budget = Budget::for_file(in.size());
  const Report report = kind.check(in, budget);
  switch (report.finding) {
    case Finding::kCipher:
      return judged(Verdict::kOpaque, &kind, "it is encrypted by design: " + report.evidence);
    case Finding::kBroken:
      version.ends_early = report.at >= in.size();
      return judged(Verdict::kBroken, &kind, fmt::format("{} (at byte {})", report.evidence, report.at));
    case Finding::kUndecided:
      return judged(Verdict::kUnknown, &kind, report.evidence);
    case Finding::kWhole:
      break;
  }
  for (const Stretch& stretch : report.stretches) {
    if (stretch.density == Density::kPlain) survey(in, stretch.range, version.texture);
  }
  std::string wrong = wrong_in_stretches(in, report.stretches, version.texture);
  return wrong.empty() ? judged(Verdict::kValid, &kind, {}) : judged(Verdict::kBroken, &kind, std::move(wrong));
}

// ---- What is of no known kind ----

// Keys, digests and signatures without a grammar, small; and what is compressed without any mark. Only of such names.
constexpr std::uint64_t kMostRandomByDesign = 64U << 10;
bool may_be_random_by_design(std::string_view name, std::uint64_t size) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return false;
  const std::string_view extension = name.substr(dot + 1);
  static constexpr std::array<std::string_view, 10> kSmall = {"chk",     "sig",    "rnd",  "seed", "key",
                                                              "keyfile", "digest", "hmac", "salt", "snk"};
  static constexpr std::array<std::string_view, 4> kCompressed = {"br", "rdb", "flate", "deflate"};
  return (size <= kMostRandomByDesign && std::ranges::find(kSmall, extension) != kSmall.end()) ||
         std::ranges::find(kCompressed, extension) != kCompressed.end();
}

// A mark of its own: what a program compressed or encrypted has one more often than not.
bool begins_readably(Window& in) {
  const base::ByteSpan head = in.at(0, 4);
  return std::ranges::all_of(head, [](std::uint8_t byte) { return byte >= 0x20 && byte < 0x7f; });
}

bool begins_randomly(Window& in) {
  const base::ByteSpan head = in.at(0, kBlock);
  ByteCounts counts;
  counts.add(head);
  // Few bytes: repeated ones say that it is not random, little says that it is.
  if (head.size() < kTellingSize) return counts.distinct() * 4 >= std::min<std::size_t>(head.size(), 160) * 3;
  return counts.looks_random();
}

// The mark and the first line of a format are for people to read, more often than not.
bool begins_with_text(Window& in) {
  const base::ByteSpan head = in.at(0, 4);
  return std::ranges::all_of(head, [](std::uint8_t byte) {
    return (byte >= 0x20 && byte < 0x7f) || byte == '\n' || byte == '\r' || byte == '\t';
  });
}

// Of a small file that is nothing but base64 or hexadecimal digits, in lines or not, as many bytes as they stand for:
// their classes alternate as in no words. Few signs want the padding of base64 behind them. 0 of any other.
constexpr std::uint64_t kLeastPadded = 8, kLeastCoded = 24, kMostCoded = 4096;
std::uint64_t bytes_of_digits(Window& in) {
  if (in.size() < kLeastPadded || in.size() > kMostCoded) return 0;
  std::uint64_t signs = 0, changes = 0, padding = 0;
  bool is_hexadecimal = true;
  int last = -1;
  for (const std::uint8_t byte : in.at(0, kMostCoded)) {
    if (byte == '\r' || byte == '\n') continue;
    if (byte == '=') {
      ++padding;
      continue;
    }
    const bool is_digit = byte >= '0' && byte <= '9';
    const bool is_upper = byte >= 'A' && byte <= 'Z';
    const bool is_lower = byte >= 'a' && byte <= 'z';
    if (padding > 0 || (!is_digit && !is_upper && !is_lower && byte != '+' && byte != '/')) return 0;
    is_hexadecimal = is_hexadecimal && (is_digit || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F'));
    const int sign_class = is_digit ? 0 : is_upper ? 1 : is_lower ? 2 : 3;
    changes += sign_class != last ? 1 : 0;
    last = sign_class;
    ++signs;
  }
  const bool is_padded = padding > 0 && padding <= 2 && (signs + padding) % 4 == 0;
  if (signs < (is_padded ? kLeastPadded / 2 : kLeastCoded) || changes * (is_hexadecimal ? 4 : 3) < signs) return 0;
  return is_hexadecimal && !is_padded ? signs / 2 : signs * 3 / 4;
}

// A text about PDF begins like one: what is whole as what its name says is not held to how it begins.
void judge_as_named(Window& in, std::string_view name, const Kind& taken_for, Version& version) {
  const Kind* promised = promise_of(name);
  if (promised == nullptr || promised == &taken_for || may_be(name, taken_for) || !promised->recognise(in)) return;
  Version as_named;
  as_named.judgement = judge_known(in, *promised, as_named);
  if (as_named.judgement.verdict != Verdict::kValid) return;
  version.judgement = std::move(as_named.judgement);
  version.texture = std::move(as_named.texture);
  version.ends_early = false;
}

// Kinds that begin with a mark of their own, always, and whose names nothing else has.
bool has_its_mark(const Kind& kind) {
  static constexpr std::array<std::string_view, 60> kKinds = {
      "docx",       "xlsx",      "pptx",  "odt",     "ods",    "odp",        "epub", "apk",
      "jar",        "gzip",      "bzip2", "xz",      "zstd",   "lz4",        "7z",   "rar",
      "lzip",       "git index", "age",   "keepass", "pkcs12", "accdb",      "mdb",  "evtx",
      "vhdx",       "qcow2",     "vdi",   "pdf",     "rtf",    "postscript", "chm",  "djvu",
      "jpeg",       "jpeg 2000", "png",   "gif",     "tiff",   "bmp",        "psd",  "emf",
      "font",       "woff",      "woff2", "dds",     "icns",   "heif",       "mp4",  "ogg",
      "flac",       "wav",       "aiff",  "avi",     "webp",   "matroska",   "midi", "message catalog",
      "java class", "icon",      "wmf",   "dbf"};
  return std::ranges::find(kKinds, kind.name) != kKinds.end();
}

// Whether there is noise among the first bytes of what should be a text of its name.
bool is_strewn_text(Window& in, const Kind& promised) {
  const base::ByteSpan head = in.at(0, text::kPiece);
  const bool is_text = promised.name.ends_with("text") || promised.name == "pem" || promised.name == "armoured openpgp";
  return is_text && head.size() >= kLeastStrewn && text::texture(head) == text::Texture::kRandom;
}

// What is wrong with a text of nothing but digits for what its name says, or nothing.
std::string wrong_in_digits(std::string_view name, std::uint64_t size) {
  struct Digest {
    std::string_view extension;
    std::uint64_t size;
  };
  static constexpr std::array<Digest, 4> kDigests = {{{".md5", 16}, {".sha1", 20}, {".sha256", 32}, {".sha512", 64}}};
  for (const Digest& digest : kDigests) {
    if (name.ends_with(digest.extension) && size != digest.size) return "its digits are those of no such digest";
  }
  const Kind* const promised = promised_by(name);
  if (promised == nullptr || !has_its_mark(*promised)) return {};
  return fmt::format("its name says {}, and it is nothing but digits of base64 or hexadecimal", promised->name);
}

void judge_digits(std::string_view name, Version& version) {
  const bool is_text = version.judgement.verdict == Verdict::kValid && version.judgement.kind.ends_with("text");
  if (!is_text || version.coded_size == 0) return;
  std::string wrong = wrong_in_digits(name, version.coded_size);
  if (!wrong.empty()) version.judgement = judged(Verdict::kBroken, nullptr, std::move(wrong));
}

// What a name promises and is not there, in words, or nothing.
std::string wrong_promise(Window& in, std::string_view name, const Kind& promised) {
  if (begins_randomly(in)) return "it begins with what looks random";
  // What stands behind a name may say that it was taken out of its wrapping: "scan.gz.unpacked".
  if (has_its_mark(promised) && may_be(name, promised)) return "it does not begin as such files do";
  if (is_strewn_text(in, promised)) return "bytes that no text has are strewn in";
  return {};
}

Judgement judge_unknown(Window& in, std::string_view name, Texture& texture) {
  survey(in, {0, in.size()}, texture);
  texture.complete = true;
  if (may_be_random_by_design(name, in.size()) && begins_randomly(in)) {
    return judged(Verdict::kOpaque, nullptr, "it is of no known kind, and may be random, as its name says");
  }
  const Kind* promised = promise_of(name);
  const std::string promise =
      promised != nullptr ? fmt::format("its name says {}, and ", promised->name) : std::string();
  if (texture.is_uniform()) {
    const std::string what = fmt::format("{}all its bytes are {:#04x}", promise, in.byte(0).value_or(0));
    return judged(promised != nullptr ? Verdict::kBroken : Verdict::kUnknown, nullptr, what);
  }
  const std::uint64_t random = texture.random_count();
  if (in.size() >= kTellingSize && random * 50 >= texture.blocks * 49 && !begins_readably(in)) {
    return judged(Verdict::kBroken, nullptr, promise + "it looks random from its first byte to its last");
  }
  std::string wrong = promised != nullptr ? wrong_promise(in, name, *promised) : std::string();
  if (wrong.empty()) wrong = wrong_in(in, {{0, in.size()}}, texture);
  if (!wrong.empty()) return judged(Verdict::kBroken, nullptr, promise + wrong);
  return judged(Verdict::kUnknown, nullptr, promise + "it is of no kind that is known here");
}

// Notes are for everybody to open: no source code, no table.
bool may_be_note(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (promised_by(name) == nullptr || dot == std::string_view::npos) return true;
  static constexpr std::array<std::string_view, 8> kExtensions = {"txt", "htm", "html", "hta",
                                                                  "rtf", "url", "nfo",  "md"};
  return std::ranges::find(kExtensions, name.substr(dot + 1)) != kExtensions.end();
}

}  // namespace

Version judge(Input& input, std::string_view name) {
  Window in(input);
  Version version;
  version.size = in.size();
  if (version.size == 0) {
    version.judgement = judged(Verdict::kValid, nullptr, {});
    version.judgement.kind = "empty";
    return version;
  }
  const Kind* kind = recognise(in);
  version.judgement = kind != nullptr ? judge_known(in, *kind, version) : judge_unknown(in, name, version.texture);
  const bool begins_oddly = version.size >= kTellingSize && !begins_with_text(in);
  version.begins_randomly = kind == nullptr && (begins_oddly || begins_randomly(in));
  version.coded_size = bytes_of_digits(in);
  judge_digits(name, version);
  if (version.judgement.verdict == Verdict::kBroken && kind != nullptr) judge_as_named(in, name, *kind, version);
  if (version.judgement.verdict == Verdict::kValid && version.size <= kLargestNote && may_be_note(name)) {
    RansomNote note = judge_note(in, name.substr(name.rfind('/') + 1));
    version.is_note = note.is_note;
    if (note.is_note) version.judgement.reasons = std::move(note.evidence);
  }
  if (in.error()) {
    version.judgement = judged(Verdict::kUnknown, kind, "it could not be read: " + in.error()->text());
  }
  return version;
}

}  // namespace kura::detect
