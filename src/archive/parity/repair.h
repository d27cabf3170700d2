// Repairs objects in place by the parity of a store: needs no key, and no repository that can be opened.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <stop_token>
#include <vector>

#include "archive/parity/inventory.h"
#include "archive/parity/object_name.h"

namespace kura::archive {

struct RepairOutcome {
  ObjectName object;
  std::uint64_t size = 0, blocks = 0, blocks_lost = 0;
  std::optional<base::Error> problem;  // why it could not be repaired
};

struct RepairOptions {
  bool dry_run = false;  // recovers and compares all, and writes nothing
};

using RepairHandler = std::function<void(const RepairOutcome&)>;

// Each object is recovered in memory, compared with its name, and written over what is there by one atomic step; killed
// at any moment, each is as it was or whole. Tells of each through `on_outcome`, repaired or not; gives those that are
// not. A snapshot or key that was removed meanwhile does not come back, and is not told of. Memory: the largest object,
// and 1 MiB for each column and shard of its group.
base::Result<std::vector<ObjectName>> repair_objects(store::Store& store, const ParityInventory& parity,
                                                     std::span<const ObjectName> objects, const RepairOptions& options,
                                                     const RepairHandler& on_outcome, const std::stop_token& stop);

// Small objects (config, keys, indexes, snapshots) in the store that are damaged or cannot be read, and the config
// where there is none. What is gone otherwise is not looked for: nobody can tell it from what `forget` and `key remove`
// took away, which must not come back. Reads all of them, several at a time.
base::Result<std::vector<ObjectName>> damaged_small_objects(store::Store& store, const ParityInventory& parity,
                                                            const std::stop_token& stop);

struct ShardRepair {
  std::uint64_t shards = 0, bytes = 0;
  std::vector<store::ObjectId> left;  // damaged, and not made again
};
// Shards that are not there, or among `damaged`, are made again where all objects of their group are whole. Those that
// cannot be, and those of which nobody can tell what they were, are left.
base::Result<ShardRepair> repair_shards(store::Store& store, const ParityInventory& parity,
                                        std::span<const store::ObjectId> damaged, const RepairOptions& options,
                                        const RepairHandler& on_outcome, const std::stop_token& stop);

}  // namespace kura::archive
