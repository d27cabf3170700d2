// What detection says of one version of a file, as an entry keeps it (docs/format.md, section 8).
#pragma once

#include <string>

#include "base/codec.h"
#include "detect/judge/judgement.h"

namespace kura::archive {

struct Judged {
  detect::Verdict verdict = detect::Verdict::kUnknown;
  bool turned = false;   // it is broken, or encrypted, and was whole in an earlier backup
  std::string kind;      // "docx", or empty; at most kKindLimit bytes
  std::string evidence;  // of what is broken, in words; at most kEvidenceLimit bytes

  static constexpr std::size_t kKindLimit = 64;
  static constexpr std::size_t kEvidenceLimit = 512;

  friend bool operator==(const Judged&, const Judged&) = default;
  void encode(base::Encoder& out) const;
  static Judged decode(base::Decoder& in);  // to the end of `in`; fails through it
};

// All reasons, for Judged::evidence.
std::string evidence_of(const detect::Judgement& judgement);

}  // namespace kura::archive
