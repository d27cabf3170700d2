// Keeps the parity of a repository as its config asks: what has none gets some, and what garbage collection, forgetting
// and many small backups have left of groups is put together anew. Needs no key.
//
// A group from which a pack was removed recovers that much less. Its other packs go into new groups first; only when
// those are durable, the old shards go. A group that holds something a snapshot needs and that is damaged or gone is
// never touched: it may be all that can bring it back. Shards are redundant, and no snapshot names them: whatever
// crosses this (a backup, another collection) can at worst leave packs in two groups, or for a while in none, which the
// next run and `check` see.
#pragma once

#include <cstdint>
#include <stop_token>
#include <vector>

#include "archive/parity/inventory.h"

namespace kura::archive {

struct MaintenanceOptions {
  bool dry_run = false;
  std::vector<store::ObjectId> damaged;  // shards that are known to be, and of no use: they go
};

struct MaintenanceSummary {
  std::uint64_t objects_covered = 0;  // that had no parity, or that of a group which was dissolved
  std::uint64_t bytes_read = 0, bytes_written = 0;
  std::uint64_t shards_written = 0, shards_removed = 0;
  std::uint64_t objects_left = 0;  // without parity still: they could not be read whole
};

// Nothing to do where the repository keeps no parity. Reads the packs that it covers, each checked against its name.
// Packs that a running backup may be about to cover itself are left to it. kDamaged when nobody can tell what the
// snapshots need; kInterrupted on `stop`: run it again. Memory: as Protection, and one pack.
base::Result<MaintenanceSummary> maintain_parity(const Repository& repository, const MaintenanceOptions& options,
                                                 const std::stop_token& stop);

}  // namespace kura::archive
