// Copying snapshots to another repository.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <vector>

#include "archive/repo/repository.h"
#include "base/progress.h"

namespace kura::archive {

struct CopySummary {
  std::uint64_t snapshots_copied = 0, snapshots_present = 0;
  std::uint64_t objects_copied = 0, bytes_copied = 0;  // resealed: bytes stored in the other repository, objects 0
  // What went wrong with the parity: a shard here is damaged, or there some of what was copied has none until the next
  // collection. The snapshots are copied all the same.
  std::optional<base::Error> parity_problem;
};

// A twin: config, keys and all objects that the snapshots need, as they are, in the order received. No key needed;
// every object is checked against its name on the way. Nothing that is there is stored again, but what is missing of
// snapshots that are there is put. The order (config, keys, then packs, indexes, snapshot, each durable before the
// next) and a lease make an interrupted copy harmless. `only` empty: all snapshots. Memory: 128 MiB of objects, or the
// largest one. kConflict when `to` holds another repository, or when garbage collection there is about to take what
// this needs; kDamaged when something here is damaged: what is whole is copied all the same before it is told.
base::Result<CopySummary> copy_twin(const Repository& from, store::Store& to, const std::vector<store::ObjectId>& only,
                                    base::Progress& progress, std::stop_token stop);

// Into a repository with other keys: opens everything with the recovery key of `from` and seals it again as the
// machine of `to`, in the order received. A snapshot that was copied before (recorded by a tag "copy-of:<id>") is not
// copied again. kDamaged ends it at the first snapshot that cannot be read whole; those before are copied.
base::Result<CopySummary> copy_resealed(const Repository& from, const Repository& to,
                                        const std::vector<store::ObjectId>& only, base::Progress& progress,
                                        std::stop_token stop);

}  // namespace kura::archive
