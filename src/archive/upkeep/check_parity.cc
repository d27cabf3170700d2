#include "archive/upkeep/check_parity.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "archive/format/limits.h"
#include "archive/parity/coverage.h"
#include "archive/upkeep/check_packs.h"
#include "base/parallel.h"

namespace kura::archive {

using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;
using store::ObjectId;
using store::ObjectInfo;

Status check_parity(const ParityCheck& check, CheckFindings& findings, CheckSummary& summary,
                    const std::stop_token& stop) {
  store::Store& store = check.repository.store();
  ParityInventory parity = KURA_TRY(read_parity(store, stop));
  summary.parity = parity.shards;
  summary.parity_bytes = parity.bytes;
  summary.objects += parity.shards;
  std::vector<ObjectInfo> shards;
  for (const StoredGroup& group : parity.groups) {
    for (const auto& shard : group.shards) {
      if (shard) shards.push_back(*shard);
    }
  }
  const std::vector<ObjectInfo> read = choose_objects(std::move(shards), check.options);
  std::vector<DamagedObject> damaged = std::move(parity.damaged);
  std::mutex mutex;  // guards damaged
  KURA_TRY(base::each_on_threads(read.size(), base::thread_count(check.options.threads), [&](std::size_t i) -> Status {
    KURA_TRY(check_not_stopped(stop));
    const Result<base::Bytes> shard = store.get(Kind::kParity, read[i].id, kParityLimit);
    if (shard || shard.error().code() == ErrorCode::kNotFound) return {};
    if (!is_finding(store, shard.error())) return base::fail(shard.error());
    const std::lock_guard lock(mutex);
    damaged.push_back({.kind = Kind::kParity, .id = read[i].id, .error = shard.error()});
    return {};
  }));
  std::ranges::sort(damaged, {}, &DamagedObject::id);
  std::vector<ObjectId> bad_shards;
  for (DamagedObject& at : damaged) {
    bad_shards.push_back(at.id);
    findings.add(at.kind, at.id, std::move(at.error).with_hint("`kura check --repair` makes it again"));
  }
  if (!check.repository.config().parity) return {};
  const Coverage coverage = coverage_of(parity, check.packs, check.bad_packs, bad_shards);
  summary.packs_unprotected = coverage.packs_unprotected;
  summary.packs_weak = coverage.packs_weak;
  return {};
}

}  // namespace kura::archive
