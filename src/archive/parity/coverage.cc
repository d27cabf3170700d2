#include "archive/parity/coverage.h"

#include <algorithm>
#include <map>
#include <set>

namespace kura::archive {

using store::Kind;
using store::ObjectId;
using store::ObjectInfo;

Coverage coverage_of(const ParityInventory& parity, const std::vector<ObjectInfo>& packs,
                     const std::vector<ObjectId>& damaged_packs, const std::vector<ObjectId>& damaged_shards) {
  const std::set<ObjectId> bad_packs(damaged_packs.begin(), damaged_packs.end());
  const std::set<ObjectId> bad_shards(damaged_shards.begin(), damaged_shards.end());
  std::set<ObjectId> there;
  for (const ObjectInfo& pack : packs) {
    if (!bad_packs.contains(pack.id)) there.insert(pack.id);
  }
  std::map<ObjectId, std::int64_t> spare;  // how many more losses the best group of a pack stands
  std::set<ObjectId> full;
  for (const StoredGroup& group : parity.groups) {
    const auto shards = std::ranges::count_if(
        group.shards, [&](const auto& shard) { return shard && !bad_shards.contains(shard->id); });
    const auto lost = std::ranges::count_if(group.group.columns, [&](const auto& column) {
      return std::ranges::any_of(
          column, [&](const ParityMember& member) { return member.kind == Kind::kPack && !there.contains(member.id); });
    });
    for (const auto& column : group.group.columns) {
      for (const ParityMember& member : column) {
        auto& best = spare.try_emplace(member.id, 0).first->second;
        best = std::max<std::int64_t>(best, shards - lost);
        if (shards - lost == std::ssize(group.shards)) full.insert(member.id);
      }
    }
  }
  Coverage coverage;
  for (const ObjectInfo& pack : packs) {
    const auto at = spare.find(pack.id);
    if (at == spare.end() || at->second <= 0) {
      ++coverage.packs_unprotected;
    } else if (!full.contains(pack.id)) {
      ++coverage.packs_weak;
    }
  }
  return coverage;
}

}  // namespace kura::archive
