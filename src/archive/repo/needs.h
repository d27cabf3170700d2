// Which packs and indexes the snapshots need: told by the clear parts of snapshots and indexes, without any key.
#pragma once

#include <functional>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "archive/repo/repository.h"

namespace kura::archive {

using ObjectIdSet = std::unordered_set<store::ObjectId, base::DigestHash>;

// The packs that each index lists, read once and kept. Not shared between threads. Memory: 40 bytes a pack.
class ClearIndexes {
 public:
  explicit ClearIndexes(const Repository& repository) : repository_(&repository) {}
  // kNotFound, kDamaged. Valid as long as this object.
  base::Result<const std::vector<IndexedPack>*> packs(const store::ObjectId& index);

 private:
  const Repository* repository_;
  std::unordered_map<store::ObjectId, std::vector<IndexedPack>, base::DigestHash> known_;
};

// Calls `visit` for each pack that the snapshot needs; its index named it, whether or not it is there. kDamaged when an
// index is missing, cannot be read, or has not the packs that the snapshot says.
base::Status for_each_need(const Snapshot& snapshot, ClearIndexes& indexes,
                           const std::function<void(const IndexedPack& pack)>& visit);

struct Needs {
  ObjectIdSet packs, indexes;
};
// Of all snapshots. kDamaged, naming the object, when one of them or an index that it names cannot be read: it might
// need anything.
base::Result<Needs> read_needs(const Repository& repository, ClearIndexes& indexes);

}  // namespace kura::archive
