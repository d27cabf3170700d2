// What the shell is told: the contract of docs/cli.md.
#pragma once

#include "base/error.h"

namespace kura::app {

enum ExitCode : int {
  kDone = 0,
  kFailed = 1,  // nothing half-done is visible
  kWrongUsage = 2,
  kPartial = 3,  // done, but some source files could not be read
  kDamage = 4,   // the repository is damaged
  kAttack = 5,   // files look encrypted
  kInterruption = 130,
};

inline ExitCode exit_code_of(const base::Error& error) {
  switch (error.code()) {
    case base::ErrorCode::kUsage:
      return kWrongUsage;
    case base::ErrorCode::kDamaged:
      return kDamage;
    case base::ErrorCode::kInterrupted:
      return kInterruption;
    default:
      return kFailed;
  }
}

}  // namespace kura::app
