// Walking every folder of every snapshot once. Needs the recovery key.
#pragma once

#include <stop_token>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "archive/repo/needs.h"
#include "archive/repo/pack_reader.h"
#include "archive/upkeep/check_findings.h"

namespace kura::archive {

struct TreeCheck {
  const Repository& repository;
  const ChunkIndex& index;       // of all packs there are, and those that are missing and needed
  const ObjectIdSet& bad_packs;  // missing or damaged: whoever calls tells them
  unsigned threads = 1;
};

// What the bad packs keep from being read.
struct Losses {
  struct Pack {
    ObjectIdSet snapshots;  // that need something of it that no other pack holds
    std::string path;       // one that does, as it is named in a snapshot
  };
  std::unordered_map<store::ObjectId, Pack, base::DigestHash> packs;
  ObjectIdSet unread;  // snapshots with folders that cannot be read: they may suffer from any pack that they need
};

// Each listing is read, each content's chunks are looked up and their sizes compared with the entry's, and the packs
// they lie in with those that the snapshot names. What a bad pack explains is not told again.
base::Result<Losses> check_trees(const TreeCheck& check, const std::vector<StoredSnapshot>& snapshots,
                                 CheckFindings& findings, const std::stop_token& stop);

}  // namespace kura::archive
