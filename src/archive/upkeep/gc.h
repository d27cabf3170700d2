// Garbage collection without keys and without locks (docs/format.md, section 9).
#pragma once

#include <cstdint>
#include <stop_token>

#include "archive/parity/maintenance.h"
#include "archive/repo/repository.h"
#include "base/progress.h"

namespace kura::archive {

struct GcOptions {
  bool dry_run = false;
  std::int64_t keep_orphans = 24LL * 3600 * 1'000'000'000;  // ns since receipt: what an interrupted backup left
};

struct GcSummary {
  std::uint64_t packs_total = 0, packs_removed = 0, indexes_removed = 0;
  std::uint64_t bytes_total = 0, bytes_freed = 0;      // of packs; a dry run says what would be freed
  std::uint64_t packs_waiting = 0, bytes_waiting = 0;  // condemned, but a running job may lean on them: next run
  std::uint64_t packs_lost = 0;                        // snapshots need them, and they are gone or too short
  MaintenanceSummary parity;
  bool kept_all = false;  // because of those: without a key nobody can tell what stands in for them
};

// Removes the packs that no snapshot needs. Where a needed pack is lost, the packs that hold again what it held are
// needed in its place (stand_ins.h): told with the catalog key; without it no pack goes. Packs in no index stay for
// keep_orphans. An index stays as long as a snapshot names it, or a pack in it stays and it is younger than
// keep_orphans. kDamaged, and nothing is removed, when a snapshot, or an index that one names, cannot be read: it might
// need anything. Then puts the parity in order (parity/maintenance.h). kInterrupted on `stop`: what was removed by then
// was garbage.
base::Result<GcSummary> collect_garbage(const Repository& repository, const GcOptions& options,
                                        base::Progress& progress, std::stop_token stop);

}  // namespace kura::archive
