// What an actor did to which file of the share, from what is remembered of his changes: each file under the name that
// it had before, through all renames, with the contents that it had then.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "guard/contain/incident.h"
#include "guard/model/trial.h"
#include "guard/state/memory.h"

namespace kura::guard {

// The changes of the actor with this key from `since` (ns since 1970) on, oldest first, at most 20,000. Files with
// proofs may have been renamed or deleted some minutes before: these changes are in it, too.
std::vector<TouchedFile> touched_files(Memory& memory, const std::string& actor, std::int64_t since,
                                       const std::vector<Proof>& proofs);

}  // namespace kura::guard
