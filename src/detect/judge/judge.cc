#include "detect/judge/judge.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/escape.h"
#include "detect/codec/inflate.h"
#include "detect/judge/names.h"
#include "detect/kinds/kinds.h"
#include "detect/stats/byte_counts.h"
#include "detect/text/ransom_note.h"

namespace kura::detect {
namespace {

constexpr std::uint64_t kTellingSize = 256;  // bytes; of fewer, statistics say nothing by themselves
constexpr unsigned kLeastIslands = 2;

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
std::string wrong_in(Window& in, const Range& range, const Texture& texture, std::uint64_t size) {
  const Islands islands = find_islands(in, range, texture);
  if (islands.sharp >= kLeastIslands && islands.sharp * 4 >= islands.runs * 3) {
    return fmt::format("{} separate runs of whole 4 KiB blocks look random among contents that are not", islands.sharp);
  }
  if (const auto share = find_interleaving(in, range)) {
    return fmt::format("pieces that look random alternate regularly with ones that do not ({:.0f} % of the bytes)",
                       *share * 100);
  }
  const std::uint64_t first = (range.offset + kBlock - 1) / kBlock;
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
    std::string wrong = wrong_in(in, stretch.range, texture, in.size());
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
bool is_random_by_design(std::string_view name, std::uint64_t size) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return false;
  const std::string_view extension = name.substr(dot + 1);
  static constexpr std::array<std::string_view, 10> kSmall = {"chk",     "sig",    "rnd",  "seed", "key",
                                                              "keyfile", "digest", "hmac", "salt", "snk"};
  static constexpr std::array<std::string_view, 6> kCompressed = {"br", "rdb", "flate", "deflate", "zz", "Z"};
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
// their classes alternate as in no words. 0 of any other, and of what is as long as a digest: that is one.
constexpr std::uint64_t kLeastCoded = 24, kMostCoded = 4096;
std::uint64_t coded_size(Window& in) {
  if (in.size() < kLeastCoded || in.size() > kMostCoded) return 0;
  std::uint64_t signs = 0, changes = 0;
  bool is_hexadecimal = true;
  int last = -1;
  for (const std::uint8_t byte : in.at(0, kMostCoded)) {
    if (byte == '\r' || byte == '\n' || byte == '=') continue;
    const bool is_digit = byte >= '0' && byte <= '9';
    const bool is_upper = byte >= 'A' && byte <= 'Z';
    const bool is_lower = byte >= 'a' && byte <= 'z';
    if (!is_digit && !is_upper && !is_lower && byte != '+' && byte != '/') return 0;
    is_hexadecimal = is_hexadecimal && (is_digit || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F'));
    const int sign_class = is_digit ? 0 : is_upper ? 1 : is_lower ? 2 : 3;
    changes += sign_class != last ? 1 : 0;
    last = sign_class;
    ++signs;
  }
  if (signs < kLeastCoded || changes * 3 < signs) return 0;
  const std::uint64_t size = is_hexadecimal ? signs / 2 : signs * 3 / 4;
  static constexpr std::array<std::uint64_t, 6> kDigests = {16, 20, 28, 32, 48, 64};
  return std::ranges::find(kDigests, size) == kDigests.end() ? size : 0;
}

// One zlib stream (RFC 1950) and nothing else, as git keeps its objects: the two bytes at its beginning are no mark to
// go by, but that it unpacks, to what its checksum says, is proof.
bool is_zlib_stream(Window& in) {
  const std::uint16_t header = in.big16(0).value_or(0);
  if ((header & 0x0F20U) != 0x0800 || header % 31 != 0) return false;
  Budget budget = Budget::for_file(in.size());
  const Inflated unpacked = inflate(in, {0, in.size()}, Wrapping::kZlib, budget);
  return unpacked.end == InflateEnd::kDone && unpacked.used == in.size();
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

Judgement judge_unknown(Window& in, std::string_view name, Texture& texture) {
  survey(in, {0, in.size()}, texture);
  texture.complete = true;
  if (is_random_by_design(name, in.size())) {
    return judged(Verdict::kOpaque, nullptr, "it is of no known kind, and may be random, as its name says");
  }
  const Kind* promised = promise_of(name);
  if (promised == nullptr && is_zlib_stream(in)) {
    Judgement judgement = judged(Verdict::kValid, nullptr, {});
    judgement.kind = "zlib";
    return judgement;
  }
  const std::string promise =
      promised != nullptr ? fmt::format("its name says {}, and ", promised->name) : std::string();
  if (texture.uniform == texture.blocks) {
    const std::string what = fmt::format("{}all its bytes are {:#04x}", promise, in.byte(0).value_or(0));
    return judged(promised != nullptr ? Verdict::kBroken : Verdict::kUnknown, nullptr, what);
  }
  const std::uint64_t random = texture.random_count();
  if (in.size() >= kTellingSize && random * 50 >= texture.blocks * 49 && !begins_readably(in)) {
    return judged(Verdict::kBroken, nullptr, promise + "it looks random from its first byte to its last");
  }
  if (promised != nullptr && begins_randomly(in)) {
    return judged(Verdict::kBroken, nullptr, promise + "it begins with what looks random");
  }
  std::string wrong = wrong_in(in, {0, in.size()}, texture, in.size());
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
  version.coded_size = coded_size(in);
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
