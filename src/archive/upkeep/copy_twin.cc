// Objects as they are, checked on the way.
#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "archive/format/limits.h"
#include "archive/parity/maintenance.h"
#include "archive/repo/condemned.h"
#include "archive/repo/lease.h"
#include "archive/repo/lock_needed.h"
#include "archive/repo/needs.h"
#include "archive/upkeep/copy.h"
#include "archive/upkeep/copy_selection.h"
#include "base/parallel.h"

namespace kura::archive {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;
using store::ObjectId;
using store::ObjectInfo;
using SizeMap = std::unordered_map<ObjectId, std::uint64_t, base::DigestHash>;

constexpr unsigned kThreads = 4;  // stores wait for disks and networks more than for the processor
constexpr std::uint64_t kMemory = 128U << 20;

// Lets in as many bytes as the limit, or one object that is larger.
class MemoryGate {
 public:
  void enter(std::uint64_t bytes) {
    std::unique_lock lock(mutex_);
    free_.wait(lock, [&] { return used_ == 0 || used_ + bytes <= kMemory; });
    used_ += bytes;
  }
  void leave(std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    used_ -= bytes;
    free_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable free_;
  std::uint64_t used_ = 0;
};

Result<SizeMap> list_sizes(store::Store& store, Kind kind) {
  SizeMap sizes;
  for (const ObjectInfo& info : KURA_TRY(store.list(kind))) sizes.emplace(info.id, info.size);
  return sizes;
}

// One snapshot's own trouble, which does not keep the others from being copied.
bool concerns_one_snapshot(const Error& error) { return is_damage(error) || error.code() == ErrorCode::kUnsupported; }

class TwinCopier {
 public:
  TwinCopier(const Repository& from, store::Store& to, base::Progress& progress, std::stop_token stop)
      : from_(from), source_(from.store()), to_(to), progress_(progress), stop_(std::move(stop)), indexes_(from) {}

  Result<CopySummary> run(const std::vector<ObjectId>& only);

 private:
  struct Wanted {
    Kind kind;
    ObjectId id;
    std::uint64_t size = 0;  // 0: not known
    std::uint64_t limit = 0;
  };

  Status prepare_target();
  Result<bool> has_config() const;
  Status look_at_target(const Repository& target);
  Status copy_keys();
  Status copy_snapshot(const StoredSnapshot& stored);
  Status copy_parity();
  Result<std::vector<Wanted>> missing_shards();
  void note_parity(Error problem);
  Result<std::vector<Wanted>> missing_packs(const StoredSnapshot& stored);
  std::vector<Wanted> missing_indexes(const StoredSnapshot& stored) const;
  Status refuse_condemned(const StoredSnapshot& stored);
  Status lock_all_needed(const StoredSnapshot& stored);
  Status copy_all(const std::vector<Wanted>& wanted);
  Status copy_object(const Wanted& wanted);
  Status check_stop() const;
  Status check_lease();

  const Repository& from_;
  store::Store& source_;
  store::Store& to_;
  base::Progress& progress_;
  const std::stop_token stop_;
  ClearIndexes indexes_;
  std::unique_ptr<Lease> lease_;
  Condemned condemned_;
  ObjectIdSet doubtful_;  // of what is there: packs and indexes that may go
  SizeMap there_packs_, there_indexes_, there_snapshots_, there_keys_;
  MemoryGate gate_;
  std::mutex mutex_;  // guards summary_ while objects are copied
  CopySummary summary_;
};

Status TwinCopier::check_stop() const {
  if (!stop_.stop_requested()) return {};
  return base::fail(ErrorCode::kInterrupted, fmt::format("interrupted while copying to {}", to_.describe()),
                    "run it again: what was copied is kept");
}

// A config of somebody else's beside ours is not taken for the repository's.
Result<bool> TwinCopier::has_config() const {
  const std::vector<ObjectInfo> configs = KURA_TRY(to_.list(Kind::kConfig));
  if (configs.empty()) return false;
  if (std::ranges::find(configs, from_.config_id(), &ObjectInfo::id) != configs.end()) return true;
  return base::fail(ErrorCode::kConflict,
                    fmt::format("{} holds another repository (config {}) than {} (config {})", to_.describe(),
                                configs.front().id.hex(), source_.describe(), from_.config_id().hex()),
                    "a twin needs a place of its own; into a repository with other keys, copy with the recovery key");
}

// Under a lease and with the config, which comes first: wherever it ends, what is there is a repository that the next
// copy goes on with, and never something with keys or snapshots whose config seems to be lost.
Status TwinCopier::prepare_target() {
  const bool is_there = KURA_TRY(has_config());
  lease_ = KURA_TRY(Lease::take(to_, LeasePurpose::kCopy));
  if (!is_there) {
    KURA_TRY(copy_object({.kind = Kind::kConfig, .id = from_.config_id(), .limit = kConfigLimit}));
    KURA_TRY(to_.sync());
  }
  const std::shared_ptr<store::Store> target(std::shared_ptr<void>(), &to_);  // its owner outlives this
  KURA_TRY(look_at_target(KURA_TRY(Repository::open(target, /*state_folder=*/"", from_.config_id()))));
  return copy_keys();
}

// In the order of docs/format.md, section 9: under the lease, first what is condemned, then what is there.
Status TwinCopier::look_at_target(const Repository& target) {
  condemned_ = KURA_TRY(Condemned::read(target));
  for (const Kind kind : {Kind::kPack, Kind::kIndex}) {
    SizeMap& there = kind == Kind::kPack ? there_packs_ : there_indexes_;
    for (const ObjectInfo& object : KURA_TRY(to_.list(kind))) {
      there.emplace(object.id, object.size);
      if (condemned_.may_go(kind, object)) doubtful_.insert(object.id);
    }
  }
  there_snapshots_ = KURA_TRY(list_sizes(to_, Kind::kSnapshot));
  there_keys_ = KURA_TRY(list_sizes(to_, Kind::kKey));
  return {};
}

// Durable before the first snapshot: without its machine's certificate it would count for nothing.
Status TwinCopier::copy_keys() {
  const KeyList keys = KURA_TRY(from_.keys());
  std::vector<Wanted> wanted;
  const auto want = [&](const ObjectId& id) {
    if (!there_keys_.contains(id)) wanted.push_back({.kind = Kind::kKey, .id = id, .limit = kKeyLimit});
  };
  for (const KeyList::Slot& at : keys.slots) want(at.id);
  for (const KeyList::Machine& at : keys.machines) want(at.id);
  KURA_TRY(copy_all(wanted));
  return to_.sync();
}

// Those that the snapshot needs and that are not there, or not whole, as far as their size tells.
Result<std::vector<TwinCopier::Wanted>> TwinCopier::missing_packs(const StoredSnapshot& stored) {
  std::vector<Wanted> wanted;
  KURA_TRY(for_each_need(stored.snapshot, indexes_, [&](const IndexedPack& pack) {
    const auto there = there_packs_.find(pack.id);
    if (there != there_packs_.end() && there->second == pack.size) return;
    wanted.push_back({.kind = Kind::kPack, .id = pack.id, .size = pack.size, .limit = kPackLimit});
  }));
  return wanted;
}

std::vector<TwinCopier::Wanted> TwinCopier::missing_indexes(const StoredSnapshot& stored) const {
  std::vector<Wanted> wanted;
  for (const NeededPacks& needed : stored.snapshot.needs) {
    if (there_indexes_.contains(needed.index)) continue;
    wanted.push_back({.kind = Kind::kIndex, .id = needed.index, .limit = kIndexLimit});
  }
  return wanted;
}

// Putting a condemned object again would not save it.
Status TwinCopier::refuse_condemned(const StoredSnapshot& stored) {
  bool named = false, doubtful = false;
  for (const NeededPacks& needed : stored.snapshot.needs) {
    named = named || condemned_.names(Kind::kIndex, needed.index);
    doubtful = doubtful || doubtful_.contains(needed.index);
  }
  KURA_TRY(for_each_need(stored.snapshot, indexes_, [&](const IndexedPack& pack) {
    named = named || condemned_.names(Kind::kPack, pack.id);
    doubtful = doubtful || doubtful_.contains(pack.id);
  }));
  if (!named && !doubtful) return {};
  return base::fail(
      ErrorCode::kConflict,
      fmt::format("{} {} objects that snapshot {} needs", to_.describe(),
                  named ? "is about to drop" : "may be about to drop (a list of what goes cannot be read)",
                  stored.id.hex()),
      named ? "run `kura gc` there to let it finish, then copy again"
            : "see which with `kura check` there; when the list is half an hour old, run `kura gc` there, "
              "which removes it, then copy again");
}

Status TwinCopier::lock_all_needed(const StoredSnapshot& stored) {
  std::vector<ObjectId> packs, indexes;
  for (const NeededPacks& needed : stored.snapshot.needs) indexes.push_back(needed.index);
  KURA_TRY(for_each_need(stored.snapshot, indexes_, [&](const IndexedPack& pack) { packs.push_back(pack.id); }));
  return lock_needed(to_, /*memory=*/"", packs, indexes);
}

Status TwinCopier::copy_object(const Wanted& wanted) {
  KURA_TRY(check_stop());
  gate_.enter(wanted.size);
  const Status status = [&]() -> Status {
    const base::Bytes bytes = KURA_TRY(source_.get(wanted.kind, wanted.id, wanted.limit));
    KURA_TRY(to_.put(wanted.kind, wanted.id, bytes));
    progress_.bytes_done += bytes.size();
    progress_.bytes_stored += bytes.size();
    const std::lock_guard lock(mutex_);
    ++summary_.objects_copied;
    summary_.bytes_copied += bytes.size();
    switch (wanted.kind) {
      case Kind::kPack:
        there_packs_[wanted.id] = bytes.size();
        break;
      case Kind::kIndex:
        there_indexes_[wanted.id] = bytes.size();
        break;
      case Kind::kSnapshot:
        there_snapshots_[wanted.id] = bytes.size();
        break;
      default:
        break;
    }
    return {};
  }();
  gate_.leave(wanted.size);
  return status;
}

Status TwinCopier::copy_all(const std::vector<Wanted>& wanted) {
  for (const Wanted& object : wanted) progress_.bytes_total += object.size;
  return base::each_on_threads(wanted.size(), kThreads, [&](std::size_t i) { return copy_object(wanted[i]); });
}

Status TwinCopier::check_lease() {
  if (KURA_TRY(lease_->still_held())) return {};
  return base::fail(ErrorCode::kConflict,
                    fmt::format("the copy to {} was held up for too long, and garbage collection there may have passed "
                                "it",
                                to_.describe()),
                    "run it again: what was copied is kept");
}

Status TwinCopier::copy_snapshot(const StoredSnapshot& stored) {
  const bool present = there_snapshots_.contains(stored.id);
  // What a snapshot there needs is safe with it.
  if (!present) KURA_TRY(refuse_condemned(stored));
  const std::vector<Wanted> packs = KURA_TRY(missing_packs(stored));
  const std::vector<Wanted> indexes = missing_indexes(stored);
  KURA_TRY(copy_all(packs));
  KURA_TRY(to_.sync());
  KURA_TRY(copy_all(indexes));
  KURA_TRY(to_.sync());
  if (present) {
    ++summary_.snapshots_present;
    return {};
  }
  KURA_TRY(lock_all_needed(stored));
  KURA_TRY(check_lease());
  KURA_TRY(copy_object({.kind = Kind::kSnapshot, .id = stored.id, .limit = kSnapshotLimit}));
  KURA_TRY(to_.sync());
  ++summary_.snapshots_copied;
  return {};
}

void TwinCopier::note_parity(Error problem) {
  const std::lock_guard lock(mutex_);
  if (!summary_.parity_problem) summary_.parity_problem = std::move(problem);
}

// Of groups whose packs and indexes are all there.
Result<std::vector<TwinCopier::Wanted>> TwinCopier::missing_shards() {
  const SizeMap there = KURA_TRY(list_sizes(to_, Kind::kParity));
  const ParityInventory parity = KURA_TRY(read_parity(source_, stop_));
  if (!parity.damaged.empty()) note_parity(parity.damaged.front().error);
  std::vector<Wanted> wanted;
  for (const StoredGroup& group : parity.groups) {
    const bool all_there = std::ranges::all_of(group.group.columns, [&](const auto& column) {
      return std::ranges::all_of(column, [&](const ParityMember& member) {
        const SizeMap& objects = member.kind == Kind::kPack ? there_packs_ : there_indexes_;
        const bool is_data = member.kind == Kind::kPack || member.kind == Kind::kIndex;
        return !is_data || objects.contains(member.id);
      });
    });
    if (!all_there || !group.has_all_shards()) continue;
    for (const auto& shard : group.shards) {
      if (there.contains(shard->id)) continue;
      wanted.push_back({.kind = Kind::kParity, .id = shard->id, .size = shard->size, .limit = kParityLimit});
    }
  }
  return wanted;
}

// What is left without is covered anew, from the packs there: a shard that is damaged here costs that, and is told.
Status TwinCopier::copy_parity() {
  if (!from_.config().parity) return {};
  const std::vector<Wanted> wanted = KURA_TRY(missing_shards());
  for (const Wanted& shard : wanted) progress_.bytes_total += shard.size;
  KURA_TRY(base::each_on_threads(wanted.size(), kThreads, [&](std::size_t i) -> Status {
    Status copied = copy_object(wanted[i]);
    if (copied || !is_damage(copied.error())) return copied;
    const bool was_removed = copied.error().code() == ErrorCode::kNotFound;  // by a collection
    if (!was_removed) note_parity(std::move(copied).error());
    return {};
  }));
  KURA_TRY(to_.sync());
  lease_.reset();  // nothing of the copy's own is left without a snapshot
  const std::shared_ptr<store::Store> target(std::shared_ptr<void>(), &to_);  // its owner outlives this
  const Repository twin = KURA_TRY(Repository::open(target, /*state_folder=*/"", from_.config_id()));
  const auto maintained = maintain_parity(twin, {}, stop_);
  if (maintained) return {};
  if (!is_damage(maintained.error())) return base::fail(maintained.error());
  note_parity(Error(maintained.error()).within("cannot make parity in " + to_.describe()));
  return {};
}

Result<CopySummary> TwinCopier::run(const std::vector<ObjectId>& only) {
  CopySelection selection = KURA_TRY(select_for_copy(from_, only));
  KURA_TRY(prepare_target());
  progress_.files_total += selection.snapshots.size();
  std::optional<Error> problem = std::move(selection.damage);
  for (const StoredSnapshot& stored : selection.snapshots) {
    KURA_TRY(check_stop());
    Status status = copy_snapshot(stored);
    ++progress_.files_done;
    if (status) continue;
    if (!concerns_one_snapshot(status.error())) return base::fail(std::move(status).error());
    // Forgotten here since the list was read.
    const auto there = source_.stat(Kind::kSnapshot, stored.id);
    if (!there && there.error().code() == ErrorCode::kNotFound) continue;
    ++progress_.problems;
    if (!problem) problem = std::move(status).error().within(fmt::format("cannot copy snapshot {}", stored.id.hex()));
  }
  if (!problem) KURA_TRY(copy_parity());
  if (problem) {
    const std::string message = fmt::format("{}. The other snapshots are copied", problem->message());
    return base::fail(ErrorCode::kDamaged, message, problem->hint());
  }
  return summary_;
}

}  // namespace

Result<CopySummary> copy_twin(const Repository& from, store::Store& to, const std::vector<ObjectId>& only,
                              base::Progress& progress, std::stop_token stop) {
  return TwinCopier(from, to, progress, std::move(stop)).run(only);
}

}  // namespace kura::archive
