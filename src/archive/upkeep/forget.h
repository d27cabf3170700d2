// Removing snapshots from a repository that has no vault to do it. Space is freed by gc.h.
#pragma once

#include "archive/upkeep/retention.h"

namespace kura::archive {

// Removes these snapshots and syncs. Snapshots that follow one another stay readable: none leans on another object
// than indexes and packs.
base::Status forget_snapshots(const Repository& repository, const std::vector<store::ObjectId>& ids);

}  // namespace kura::archive
