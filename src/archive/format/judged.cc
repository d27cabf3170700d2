#include "archive/format/judged.h"

namespace kura::archive {
namespace {

constexpr std::uint8_t kTurned = 0x80;

}  // namespace

void Judged::encode(base::Encoder& out) const {
  out.u8(static_cast<std::uint8_t>(static_cast<std::uint8_t>(verdict) | (turned ? kTurned : 0)));
  out.string(kind).string(evidence);
}

Judged Judged::decode(base::Decoder& in) {
  Judged judged;
  const std::uint8_t first = in.u8();
  const auto verdict = static_cast<std::uint8_t>(first & ~kTurned);
  if (verdict > static_cast<std::uint8_t>(detect::Verdict::kBroken)) in.fail("a verdict is none that is known");
  judged.verdict = static_cast<detect::Verdict>(verdict);
  judged.turned = (first & kTurned) != 0;
  judged.kind = in.text(kKindLimit);
  judged.evidence = in.text(kEvidenceLimit);
  return judged;
}

std::string evidence_of(const detect::Judgement& judgement) {
  std::string text;
  for (const std::string& reason : judgement.reasons) text += (text.empty() ? "" : "; ") + reason;
  if (text.size() > Judged::kEvidenceLimit) text.resize(Judged::kEvidenceLimit);
  return text;
}

}  // namespace kura::archive
