#include "archive/upkeep/check_repair.h"

#include <algorithm>
#include <set>
#include <utility>

#include "archive/format/limits.h"
#include "archive/parity/maintenance.h"
#include "archive/repo/lease.h"
#include "archive/repo/loss.h"

namespace kura::archive {
namespace {

using base::Result;
using base::Status;
using store::Kind;
using store::ObjectId;

// A disk that damages what was just repaired would keep this at work without an end.
constexpr int kMostRounds = 8;

class RepairingCheck {
 public:
  RepairingCheck(store::Store& store, const CheckRepairOptions& options, base::Progress& progress,
                 const CheckRepairEvents& events, const std::stop_token& stop)
      : store_(store), options_(options), progress_(progress), events_(events), stop_(stop) {}

  Result<CheckRepairSummary> run(const OpenRepository& open);

 private:
  Status repair_small_objects();
  Status check(const Repository& repository);
  void note(const CheckFinding& finding);
  Result<bool> repair_found(const Repository& repository);
  Result<std::vector<ObjectName>> lost_objects();
  Result<bool> put_parity_in_order(const Repository& repository, const std::vector<ObjectId>& bad_shards);
  void tell(const RepairOutcome& outcome);

  store::Store& store_;
  const CheckRepairOptions& options_;
  base::Progress& progress_;
  const CheckRepairEvents& events_;
  const std::stop_token& stop_;
  std::set<ObjectName> told_;       // findings
  std::set<ObjectName> found_now_;  // by the check of this round
  std::set<ObjectName> tried_;
  std::optional<ObjectIdSet> look_again_;  // packs and shards that the next round reads; nothing: the first reads all
  bool config_would_come_back_ = false;
  CheckRepairSummary summary_;
};

void RepairingCheck::tell(const RepairOutcome& outcome) {
  if (outcome.problem) {
    ++summary_.objects_left;
  } else {
    ++summary_.objects_repaired;
    summary_.bytes_repaired += outcome.size;
    summary_.blocks_repaired += outcome.blocks_lost;
    if (look_again_) look_again_->insert(outcome.object.id);
    config_would_come_back_ = config_would_come_back_ || outcome.object.kind == Kind::kConfig;
  }
  if (events_.on_repair) events_.on_repair(outcome);
}

// Without these the repository may not open, and a check may not see all that is needed.
Status RepairingCheck::repair_small_objects() {
  const ParityInventory parity = KURA_TRY(read_parity(store_, stop_));
  summary_.has_parity = parity.shards > 0;
  const std::vector<ObjectName> damaged = KURA_TRY(damaged_small_objects(store_, parity, stop_));
  tried_.insert(damaged.begin(), damaged.end());
  KURA_TRY(repair_objects(
      store_, parity, damaged, {.dry_run = options_.dry_run}, [this](const RepairOutcome& outcome) { tell(outcome); },
      stop_));
  return {};
}

void RepairingCheck::note(const CheckFinding& finding) {
  const ObjectName name{finding.kind, finding.id};
  found_now_.insert(name);
  if (told_.insert(name).second && events_.on_finding) events_.on_finding(finding);
}

Status RepairingCheck::check(const Repository& repository) {
  CheckOptions options = options_.check;
  options.only = std::exchange(look_again_, ObjectIdSet());
  found_now_.clear();
  CheckSummary checked = KURA_TRY(
      run_check(repository, options, progress_, [this](const CheckFinding& finding) { note(finding); }, stop_));
  for (const ObjectName& name : found_now_) look_again_->insert(name.id);
  if (summary_.check) {
    checked.bytes_read += summary_.check->bytes_read;
    checked.chunks_opened += summary_.check->chunks_opened;
    checked.seconds += summary_.check->seconds;
  }
  summary_.check = checked;
  return {};
}

// Findings of which the bytes are the trouble: no parity helps against an object that is as it was put.
Result<std::vector<ObjectName>> RepairingCheck::lost_objects() {
  std::vector<ObjectName> lost;
  for (const ObjectName& name : found_now_) {
    KURA_TRY(base::not_stopped(stop_));
    const bool has_parity = name.kind != Kind::kParity && name.kind != Kind::kLease && name.kind != Kind::kCondemned;
    if (!has_parity || tried_.contains(name)) continue;
    const Result<base::Bytes> bytes = store_.get(name.kind, name.id, kPackLimit);
    if (bytes) continue;
    if (!is_loss(store_, bytes.error())) return base::fail(bytes.error());
    lost.push_back(name);
  }
  return lost;
}

// Whether something was put right.
Result<bool> RepairingCheck::repair_found(const Repository& repository) {
  // Keeps garbage collection from what is being repaired.
  const auto lease = Lease::take(store_, LeasePurpose::kRead);
  const ParityInventory parity = KURA_TRY(read_parity(store_, stop_));
  const RepairOptions options{.dry_run = options_.dry_run};
  const auto on_outcome = [this](const RepairOutcome& outcome) { tell(outcome); };
  const std::uint64_t before = summary_.objects_repaired;
  const std::vector<ObjectName> lost = KURA_TRY(lost_objects());
  tried_.insert(lost.begin(), lost.end());
  KURA_TRY(repair_objects(store_, parity, lost, options, on_outcome, stop_));
  std::vector<ObjectId> bad_shards;
  for (const ObjectName& name : found_now_) {
    if (name.kind == Kind::kParity) bad_shards.push_back(name.id);
  }
  const ShardRepair shards = KURA_TRY(repair_shards(store_, parity, bad_shards, options, on_outcome, stop_));
  // What was put right may be all that its parity lacked: the next round sees.
  if (summary_.objects_repaired > before) return true;
  return put_parity_in_order(repository, shards.left);
}

// Whether something was missing and is there now.
Result<bool> RepairingCheck::put_parity_in_order(const Repository& repository,
                                                 const std::vector<ObjectId>& bad_shards) {
  const bool is_complete = summary_.check->packs_unprotected == 0 && summary_.check->packs_weak == 0;
  if (options_.dry_run || (is_complete && bad_shards.empty())) return false;
  const auto done = maintain_parity(repository, {.dry_run = false, .damaged = bad_shards}, stop_);
  if (done) return done->shards_written + done->shards_removed > 0;
  // Where nobody can tell what snapshots need, the check has named why.
  if (is_damage(done.error())) return false;
  return base::fail(done.error());
}

Result<CheckRepairSummary> RepairingCheck::run(const OpenRepository& open) {
  KURA_TRY(repair_small_objects());
  const Result<Repository> repository = open();
  if (!repository && options_.dry_run && config_would_come_back_) return summary_;
  if (!repository) return base::fail(repository.error());
  for (int round = 0; round < kMostRounds; ++round) {
    KURA_TRY(check(*repository));
    if (!KURA_TRY(repair_found(*repository)) || options_.dry_run) break;
  }
  return summary_;
}

}  // namespace

Result<CheckRepairSummary> check_and_repair(store::Store& store, const OpenRepository& open,
                                            const CheckRepairOptions& options, base::Progress& progress,
                                            const CheckRepairEvents& events, const std::stop_token& stop) {
  return RepairingCheck(store, options, progress, events, stop).run(open);
}

}  // namespace kura::archive
