// The last thing before a snapshot: all that it needs is locked in the store, as long as the store promises from now
// on.
#pragma once

#include <string>
#include <vector>

#include "archive/repo/repository.h"

namespace kura::archive {

// Makes the locks of these packs and indexes longer, and of all configs and keys, where they end too soon; nothing in a
// store without locks. `memory` is a file that saves requests: until when which object is locked, as this machine has
// seen (empty: none). Losing it costs a request for each object. Memory: 48 bytes an object.
base::Status lock_needed(store::Store& store, const std::string& memory, const std::vector<store::ObjectId>& packs,
                         const std::vector<store::ObjectId>& indexes);

// The machine's file of that.
std::string known_locks_path(const Repository& repository);

}  // namespace kura::archive
