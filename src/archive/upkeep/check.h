// Proving a repository whole. Without keys: every stored byte against its name, every signature, each machine's chain,
// and that all packs a snapshot needs are there. With the machine's key also: indexes against the footers. With the
// recovery key also: every chunk opened and checked against its id, every listing of every snapshot walked, and that
// each snapshot names all the packs that it uses.
//
// Reads each pack once, in blocks. Memory: the index, and about 100 bytes a folder. Holds a lease while it reads, where
// it may write one. What is forgotten meanwhile is no finding. No damage either, and no finding: packs in no index,
// packs that no snapshot needs and that are gone, gaps in a machine's chain. Nor is a needed pack that is gone, where
// all that was in it is stored again in other packs (told with the machine's key), or all that snapshots use of it
// (with the recovery key).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/repo/needs.h"
#include "archive/repo/repository.h"
#include "base/progress.h"

namespace kura::archive {

struct CheckOptions {
  double read_data = 1.0;  // share of pack bytes to read, 0 to 1; which packs is chosen by chance below 1
  // In place of a share, the packs and shards to read: an earlier check has read the others.
  std::optional<ObjectIdSet> only = std::nullopt;
  unsigned threads = 0;
};

struct CheckFinding {
  store::Kind kind;
  store::ObjectId id;
  base::Error error;
  std::vector<store::ObjectId> snapshots;  // that suffer from it, as far as known, in the order received
};

struct CheckSummary {
  std::uint64_t objects = 0, bytes_read = 0;
  std::uint64_t snapshots = 0, packs = 0, indexes = 0, keys = 0, chunks_opened = 0;
  std::uint64_t findings = 0;
  std::uint64_t orphan_packs = 0;              // in no index: no damage; see gc
  std::uint64_t packs_replaced = 0;            // gone, but what snapshots need of them was stored again: no damage
  std::uint64_t parity = 0, parity_bytes = 0;  // shards
  std::uint64_t packs_unprotected = 0;         // where the repository keeps parity: they have none. No damage; see gc
  std::uint64_t packs_weak = 0;                // the same: they have less than they should
  bool opened = false;                         // with the recovery key
  double seconds = 0;
};

// An error only when the check itself could not be done; damage is told through `on_finding`, one call at a time, from
// any thread.
base::Result<CheckSummary> run_check(const Repository& repository, const CheckOptions& options,
                                     base::Progress& progress,
                                     const std::function<void(const CheckFinding&)>& on_finding, std::stop_token stop);

}  // namespace kura::archive
