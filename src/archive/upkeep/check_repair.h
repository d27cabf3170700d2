// A check that repairs what it finds, by the parity of the repository, and then checks again what it has repaired.
//
// First the small objects that are damaged (config, keys, indexes, snapshots), which needs no repository that can be
// opened; then all that the check names, and the shards themselves; at last parity is made for what has none. What is
// put right may uncover more (an index says which packs should be there), so this goes on until nothing more is put
// right. Needs no key; with one the check opens what it would.
//
// What is left is told by the last check: nothing else is counted as whole. Killed at any moment, each object is as it
// was or whole, and the next run goes on.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>

#include "archive/parity/repair.h"
#include "archive/upkeep/check.h"

namespace kura::archive {

struct CheckRepairOptions {
  CheckOptions check;
  bool dry_run = false;  // says what would be repaired, and writes nothing
};

struct CheckRepairSummary {
  // Of all that is there now; what was read counts over all rounds. Nothing: a dry run, and without its config, which
  // would be repaired, the repository cannot be opened.
  std::optional<CheckSummary> check;
  std::uint64_t objects_repaired = 0, bytes_repaired = 0, blocks_repaired = 0;  // or would be, shards among them
  std::uint64_t objects_left = 0;                                               // damaged, and not to be repaired
  bool has_parity = false;
};

struct CheckRepairEvents {
  std::function<void(const CheckFinding&)> on_finding;  // each once
  RepairHandler on_repair;
};

// The repository with such keys as there are.
using OpenRepository = std::function<base::Result<Repository>()>;

// An error only when it could not be done: that of `open` where the config is lost and no parity brings it back,
// kInterrupted, the store's. Progress, threads and memory: as run_check and repair_objects.
base::Result<CheckRepairSummary> check_and_repair(store::Store& store, const OpenRepository& open,
                                                  const CheckRepairOptions& options, base::Progress& progress,
                                                  const CheckRepairEvents& events, const std::stop_token& stop);

}  // namespace kura::archive
