// The parity that a store has, by groups: told by the heads of the shards.
#pragma once

#include <algorithm>
#include <optional>
#include <stop_token>
#include <unordered_map>
#include <vector>

#include "archive/format/parity.h"
#include "archive/repo/repository.h"

namespace kura::archive {

struct StoredGroup {
  base::Digest name;
  ParityGroup group;
  std::vector<std::optional<store::ObjectInfo>> shards;  // by number; nothing: not there

  bool has_all_shards() const {
    return std::ranges::all_of(shards, [](const auto& shard) { return shard.has_value(); });
  }
  std::uint64_t stored_bytes() const;
};

struct ParityInventory {
  std::vector<StoredGroup> groups;      // in the order of their names
  std::vector<DamagedObject> damaged;   // shards that do not say what they belong to, or are too short or too long
  std::uint64_t shards = 0, bytes = 0;  // of all

  struct Place {
    std::size_t group = 0, column = 0, member = 0;
  };
  // Where an object is, in all groups that have it.
  std::vector<Place> places(store::Kind kind, const store::ObjectId& id) const;
  void index();  // for places(), after `groups` was changed

 private:
  std::unordered_multimap<store::ObjectId, Place, base::DigestHash> by_id_;
};

// Reads some KiB of each shard, several at a time. What a shard says of its group is proven by a hash, what it holds is
// not looked at. Fails when the store does; a shard that cannot be read counts as damaged.
base::Result<ParityInventory> read_parity(store::Store& store, const std::stop_token& stop);

// The head of one shard: kDamaged when the object is not as long as its head says.
base::Result<ParityHead> read_parity_head(store::Store& store, const store::ObjectInfo& shard);

}  // namespace kura::archive
