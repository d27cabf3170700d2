// Walking every folder of every snapshot once. Needs the recovery key.
#pragma once

#include <stop_token>
#include <unordered_set>
#include <vector>

#include "archive/repo/needs.h"
#include "archive/repo/pack_reader.h"
#include "archive/upkeep/check_findings.h"

namespace kura::archive {

struct TreeCheck {
  const Repository& repository;
  const ChunkIndex& index;       // of all packs there are
  const ObjectIdSet& bad_packs;  // missing or damaged: findings already, with the snapshots that need them
  unsigned threads = 1;
};

// Each listing is read, each content's chunks are looked up and their sizes compared with the entry's, and the packs
// they lie in with those that the snapshot names. What a bad pack explains is not told again.
base::Status check_trees(const TreeCheck& check, const std::vector<StoredSnapshot>& snapshots, CheckFindings& findings,
                         const std::stop_token& stop);

}  // namespace kura::archive
