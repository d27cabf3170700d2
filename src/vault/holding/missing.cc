// What of a snapshot is not here yet: for who fetches it from another vault.
#include <unordered_set>

#include "vault/holding/holding.h"

namespace kura::vault {

using base::Result;
using store::ObjectId;
using store::ObjectInfo;

bool Holding::knows(const ObjectId& snapshot) const {
  const base::MutexLock lock(mutex_);
  return snapshots_.contains(snapshot) || gone_.contains(snapshot);
}

// The signature comes first: an index is fetched, and believed of how long it is, only when a machine of this
// repository has named it.
Result<Missing> Holding::missing(const archive::Snapshot& snapshot) {
  KURA_TRY(check_signer(snapshot));
  Missing missing;
  std::unordered_set<ObjectId, base::DigestHash> seen;
  const auto no_index = [&](const ObjectId& index) -> base::Status {
    if (seen.insert(index).second) missing.indexes.push_back(index);
    return {};
  };
  KURA_TRY(for_each_need(snapshot, no_index, [&](const ObjectInfo& pack, Presence presence) {
    if (presence == Presence::kMissing && seen.insert(pack.id).second) missing.packs.push_back(pack);
  }));
  return missing;
}

}  // namespace kura::vault
