// The rule 3-2-1-1-0 of a repository in a vault, as far as the vault can tell: three copies, on two kinds of machines,
// one away from the office, one that cannot be changed, no errors when it was looked at last.
#pragma once

#include <cstdint>
#include <string>

#include "vault/holding/holding.h"

namespace kura::vault {

struct FiveMarks {
  bool three_copies = false;   // the newest snapshot: at its machine, here, and in another vault
  bool two_kinds = false;      // at its machine and in a vault
  bool one_away = false;       // in a vault
  bool one_immutable = false;  // the same: here nobody changes or removes it before its time
  bool no_errors = false;      // all was read again within kScrubbedWithin, and is whole

  static constexpr std::int64_t kScrubbedWithin = 35LL * 24 * 3600 * 1'000'000'000;  // ns

  // "3+ 2+ 1+ 1+ 0-"
  std::string text() const;
};

// `is_follower`: what is here came from another vault, which has it too.
FiveMarks five_marks_of(const Holding& holding, bool is_follower);

}  // namespace kura::vault
