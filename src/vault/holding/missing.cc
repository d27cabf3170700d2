// What of a snapshot is not here yet: for who fetches it from another vault.
#include <unordered_set>

#include <fmt/format.h>

#include "vault/holding/holding.h"

namespace kura::vault {

using base::ErrorCode;
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
  for (const archive::NeededPacks& needed : snapshot.needs) {
    const auto packs = packs_of(needed.index);
    if (!packs && packs.error().code() != ErrorCode::kNotFound) return base::fail(packs.error());
    if (!packs) {
      if (seen.insert(needed.index).second) missing.indexes.push_back(needed.index);
      continue;
    }
    if (!needed.fits(packs->size())) {
      return base::fail(ErrorCode::kDamaged,
                        fmt::format("the snapshot needs packs that index {} does not have", needed.index.hex()));
    }
    const base::MutexLock lock(mutex_);
    for (std::size_t k = 0; k < packs->size(); ++k) {
      const ObjectInfo& pack = (*packs)[k];
      if (!needed.has(k)) continue;
      const auto here = packs_.find(pack.id);
      if (here != packs_.end() && here->second.size == pack.size) continue;
      if (seen.insert(pack.id).second) missing.packs.push_back(pack);
    }
  }
  return missing;
}

}  // namespace kura::vault
