// Removing snapshots from a repository that has no vault to do it. Space is freed by gc.h.
#pragma once

#include "archive/upkeep/retention.h"

namespace kura::archive {

// Removes these snapshots, damaged ones too, and syncs. Those that follow one another stay readable: none leans on
// other objects than indexes and packs. kNotFound, before anything is removed, when one is not there.
base::Status forget_snapshots(const Repository& repository, const std::vector<store::ObjectId>& ids);

}  // namespace kura::archive
