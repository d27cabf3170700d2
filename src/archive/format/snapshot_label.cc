// The sealed part of a snapshot (docs/format.md, section 7).
#include "archive/format/fields.h"
#include "archive/format/snapshot.h"

namespace kura::archive {
namespace {

enum Field : std::uint64_t { kRoot = 1, kHost, kUser, kPaths, kTags, kEnded, kCounts, kVerdict, kEvidence, kSuspicion };
constexpr unsigned kRequired = 1U << kRoot | 1U << kHost | 1U << kPaths | 1U << kEnded | 1U << kCounts | 1U << kVerdict;

void encode_strings(base::Encoder& out, Field number, const std::vector<std::string>& strings) {
  base::Encoder field;
  for (const std::string& text : strings) field.string(text);
  encode_field(out, number, field.bytes());
}

std::vector<std::string> decode_strings(base::Decoder& in) {
  std::vector<std::string> strings;
  while (in.ok() && !in.at_end()) strings.push_back(in.text(in.rest().size()));
  return strings;
}

SnapshotCounts decode_counts(base::Decoder& in) {
  SnapshotCounts counts;
  counts.files = in.varint();
  counts.folders = in.varint();
  counts.others = in.varint();
  counts.bytes = in.varint();
  counts.failed = in.varint();
  return counts;
}

Verdict decode_verdict(base::Decoder& in) {
  const std::uint8_t value = in.u8();
  if (value > static_cast<std::uint8_t>(Verdict::kAttacked)) in.fail("a verdict is none that is known");
  return static_cast<Verdict>(value);
}

// Thousandths: what is signed is to have one form.
constexpr double kUnit = 1000;
constexpr std::uint64_t kMostSuspicion = 1'000'000;

void encode_suspicion(base::Encoder& out, const detect::Suspicion& suspicion) {
  out.varint(static_cast<std::uint64_t>(suspicion.fast * kUnit + 0.5));
  out.varint(static_cast<std::uint64_t>(suspicion.slow * kUnit + 0.5)).u8(suspicion.attacked ? 1 : 0);
  out.varint(suspicion.broken);
}

detect::Suspicion decode_suspicion(base::Decoder& in) {
  const std::uint64_t fast = in.varint();
  const std::uint64_t slow = in.varint();
  const std::uint8_t attacked = in.u8();
  const std::uint64_t broken = in.varint();
  if (fast > kMostSuspicion || slow > kMostSuspicion || attacked > 1) in.fail("a suspicion is out of bounds");
  if (!in.ok()) return {};
  return {.fast = static_cast<double>(fast) / kUnit,
          .slow = static_cast<double>(slow) / kUnit,
          .attacked = attacked == 1,
          .broken = broken};
}

bool take_field(SnapshotLabel& label, std::uint64_t number, base::Decoder& in) {
  switch (number) {
    case kRoot:
      label.root = ContentRef::decode(in);
      return true;
    case kHost:
      label.host = in.text(in.rest().size());
      return true;
    case kUser:
      label.user = in.text(in.rest().size());
      return true;
    case kPaths:
      label.paths = decode_strings(in);
      return true;
    case kTags:
      label.tags = decode_strings(in);
      return true;
    case kEnded:
      label.ended = in.i64();
      return true;
    case kCounts:
      label.counts = decode_counts(in);
      return true;
    case kVerdict:
      label.verdict = decode_verdict(in);
      return true;
    case kEvidence:
      label.evidence = decode_strings(in);
      if (label.evidence.size() > SnapshotLabel::kEvidenceLimit) in.fail("there is more evidence than allowed");
      return true;
    case kSuspicion:
      label.suspicion = decode_suspicion(in);
      return true;
    default:
      return false;
  }
}

}  // namespace

void SnapshotLabel::encode(base::Encoder& out) const {
  base::Encoder field;
  root.encode(field);
  encode_field(out, kRoot, field.bytes());
  encode_field(out, kHost, base::Encoder().string(host).bytes());
  if (!user.empty()) encode_field(out, kUser, base::Encoder().string(user).bytes());
  encode_strings(out, kPaths, paths);
  if (!tags.empty()) encode_strings(out, kTags, tags);
  encode_field(out, kEnded, base::Encoder().i64(ended).bytes());
  field.clear();
  field.varint(counts.files).varint(counts.folders).varint(counts.others).varint(counts.bytes).varint(counts.failed);
  encode_field(out, kCounts, field.bytes());
  encode_field(out, kVerdict, base::Encoder().u8(static_cast<std::uint8_t>(verdict)).bytes());
  if (!evidence.empty()) encode_strings(out, kEvidence, evidence);
  if (suspicion == detect::Suspicion()) return;
  field.clear();
  encode_suspicion(field, suspicion);
  encode_field(out, kSuspicion, field.bytes());
}

SnapshotLabel SnapshotLabel::decode(base::Decoder& in) {
  SnapshotLabel label;
  unsigned seen = 0;
  decode_fields(in, [&](std::uint64_t number, base::Decoder& field) {
    const bool known = take_field(label, number, field);
    if (known) seen |= 1U << number;
    return known;
  });
  if ((seen & kRequired) != kRequired) in.fail("a field is missing");
  return label;
}

}  // namespace kura::archive
