// Why nothing that a snapshot needs is ever removed, whatever runs at the same time.
//
// Backups and copies (J) do, in this order:
//   J1 put the lease    J2 read the condemned lists    J3 list packs and indexes, lean on some that are not condemned
//   J4 put packs, put the index                        J5 put the snapshot             J6 remove the lease
// A collection (G) does:
//   G1 choose what no snapshot needs    G2 put it as a condemned list L    G3 read the leases    G4 read all snapshots
//   G5 remove what is in L and needed by none of them: indexes, then packs                        G6 remove L
//
// G against a job. Take a pack p in L.
// - J1 came before G3 and J6 did not: G3 sees the lease. If it began before L was there, L waits, and nothing in it
// goes.
//   If it began after, J2 came later still, saw L, and J does not lean on p.
// - J6 came before G3: so did J5, and G4 sees the snapshot.
// - J1 came after G3: L was there at J2, and J does not lean on p.
// What J4 puts is new, has a name of its own, and so is in no L that exists. A job that has lost its lease takes
// another and looks again, as at J2 and J3, before J5. "Began before L was there" is told by the store's clock. L's own
// time is when it was written, which is before it was there; so a clock is read after G2, and for a list of an earlier
// run a whole lease term is added. A store of several machines may date the lease by another clock than L: a lease
// within the error of these clocks (Store::clock_error) counts as older. A lease that seems to begin in the future
// shows that the clock was set back: it counts as the earliest. A lease is renewed by putting one and removing the one
// before, and a listing may miss both: leases are read twice.
//
// A later run takes up L, and need not choose its objects anew: a pack that was condemned stays so until L goes. That
// makes progress where some backup is always running: of those that run now, none began before an L of last night.
//
// G against another collection H. Both may remove the same garbage: removing twice is no error. What must not happen is
// that H removes L, a new backup leans on p again, and G, which has read the snapshots before that, removes p on the
// strength of L. So G looks for L before each removal, and stops when it is gone; and nobody removes another's list
// before it is a lease term old. That a removal that was begun hangs for so long, and meanwhile the last snapshot that
// needed p goes, H runs, and a backup leans on p, is the risk that is left.
//
// G against forgetting: a snapshot that is gone at G4 must not come back by a power loss after its packs went. So the
// removal is made durable between G4 and G5, whoever did it. One that goes after G4 only makes G5 remove too little.
//
// G against a job that cannot read L (it was damaged, or G is of a newer version): the job leans on nothing that could
// be in L, and tells that by times (repo/condemned.h): from the look at the snapshots at G1 to G2 there must not be
// more than a lease term, or L is not put. An L that no later run can read is taken up by none, and goes when it is
// old.
//
// G against damage: what a snapshot needs may lie in packs that it does not name, where a needed pack was lost and a
// later backup has stored again what it held (stand_ins.h). G1 and G4 count these as needed. Such a backup has found
// the pack gone, so G1 finds it gone too, or what the backup stored is newer than L.
//
// G against readers: those that hold a lease count as jobs. Others may find that a pack is gone whose snapshot is gone.
#include "archive/upkeep/gc.h"

#include <algorithm>
#include <ranges>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "archive/format/limits.h"
#include "archive/repo/condemned.h"
#include "archive/repo/lease.h"
#include "archive/repo/needs.h"
#include "archive/upkeep/stand_ins.h"
#include "base/time.h"

namespace kura::archive {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;
using store::ObjectId;
using store::ObjectInfo;
using InfoMap = std::unordered_map<ObjectId, ObjectInfo, base::DigestHash>;

constexpr std::size_t kIdsPerList = 500'000;  // 16 MB

struct List {
  ObjectId id;
  CondemnedObject object;
  std::int64_t received = 0;
  std::int64_t there = 0;  // by the store's clock, when everybody could see it
  bool own = false;        // put by this run
};

class Collector {
 public:
  Collector(const Repository& repository, const GcOptions& options, base::Progress& progress, std::stop_token stop)
      : repository_(repository),
        store_(repository.store()),
        options_(options),
        progress_(progress),
        stop_(std::move(stop)),
        indexed_(repository) {}

  Result<GcSummary> run();

 private:
  Status survey();
  Status read_lists();
  Result<Needs> read_all_needs();
  Result<ObjectIdSet> lost_packs(const Needs& needs);
  Status keep_stand_ins(const ObjectIdSet& lost, Needs& needs);
  Result<bool> is_there(Kind kind, const ObjectId& id);
  ObjectIdSet packs_in_indexes() const;
  CondemnedObject choose(const Needs& needs) const;
  bool is_old(const ObjectInfo& object) const { return object.received <= now_ - options_.keep_orphans; }
  Status put_lists(const CondemnedObject& chosen);
  Status put_list(CondemnedObject object);
  Result<std::vector<const List*>> lists_that_may_go();
  void count_waiting(const std::vector<const List*>& ready, const Needs& needs);
  void count_dry_run(const CondemnedObject& chosen, const Needs& needs);
  Status remove_all(const std::vector<const List*>& ready);
  Status remove_condemned(const List& list, Kind kind, const ObjectIdSet& needed);
  Status check_stop() const;

  const Repository& repository_;
  store::Store& store_;
  const GcOptions options_;
  base::Progress& progress_;
  const std::stop_token stop_;

  std::int64_t now_ = 0;     // when this run began, by the store's clock
  std::int64_t looked_ = 0;  // when it began to read the snapshots to choose what goes
  ClearIndexes indexed_;
  InfoMap packs_, indexes_;  // what is there and was not removed yet
  // By each readable index, its packs: in indexed_.
  std::unordered_map<ObjectId, const std::vector<IndexedPack>*, base::DigestHash> listed_;
  std::vector<List> lists_;
  ObjectIdSet condemned_packs_, condemned_indexes_;  // by lists of earlier runs
  GcSummary summary_;
};

Status Collector::check_stop() const {
  if (!stop_.stop_requested()) return {};
  return base::fail(ErrorCode::kInterrupted, fmt::format("interrupted while freeing space in {}", store_.describe()),
                    "nothing that a snapshot needs was removed; run `kura gc` again");
}

// What is there. Read before the snapshots are, so that what a backup adds meanwhile is not even looked at.
Status Collector::survey() {
  const Result<std::int64_t> now = store_.now();
  if (now) {
    now_ = *now;
  } else if (options_.dry_run && now.error().code() == ErrorCode::kDenied) {
    now_ = base::now_ns();
  } else {
    return base::fail(now.error());
  }
  for (const ObjectInfo& pack : KURA_TRY(store_.list(Kind::kPack))) {
    packs_.emplace(pack.id, pack);
    summary_.bytes_total += pack.size;
  }
  summary_.packs_total = packs_.size();
  for (const ObjectInfo& index : KURA_TRY(store_.list(Kind::kIndex))) {
    KURA_TRY(check_stop());
    const auto packs = indexed_.packs(index.id);
    if (!packs && !is_damage(packs.error())) return base::fail(packs.error());
    // A damaged one that a snapshot names ends the run later; one that none names tells nothing about its packs.
    indexes_.emplace(index.id, index);
    if (packs) listed_.emplace(index.id, *packs);
  }
  return {};
}

Status Collector::read_lists() {
  for (const ObjectInfo& info : KURA_TRY(store_.list(Kind::kCondemned))) {
    const Result<CondemnedObject> object = read_condemned_list(store_, info.id);
    if (!object && object.error().code() == ErrorCode::kNotFound) continue;
    if (!object && object.error().code() == ErrorCode::kDamaged) {
      // Nobody can say what it condemns, so backups lean on little beside it. As a list of nothing it goes when it is
      // old: whoever wrote it has come to his end, or finds that it is gone.
      lists_.push_back({.id = info.id, .object = {}, .received = info.received, .there = info.received + kLeaseTerm});
      continue;
    }
    if (!object) return base::fail(object.error());
    condemned_packs_.insert(object->packs.begin(), object->packs.end());
    condemned_indexes_.insert(object->indexes.begin(), object->indexes.end());
    lists_.push_back(
        {.id = info.id, .object = *object, .received = info.received, .there = info.received + kLeaseTerm});
  }
  return {};
}

Result<bool> Collector::is_there(Kind kind, const ObjectId& id) {
  const auto there = store_.stat(kind, id);
  if (!there && there.error().code() != ErrorCode::kNotFound) return base::fail(there.error());
  return there.has_value();
}

// Needed packs that are gone, or not as long as they should be: backups take neither for what they should be.
Result<ObjectIdSet> Collector::lost_packs(const Needs& needs) {
  ObjectIdSet lost;
  for (const auto& [index, packs] : listed_) {
    for (const IndexedPack& pack : *packs) {
      if (!needs.packs.contains(pack.id) || lost.contains(pack.id)) continue;
      const auto there = packs_.find(pack.id);
      // One that came since the survey is not lost.
      const bool is_lost =
          there == packs_.end() ? !KURA_TRY(is_there(Kind::kPack, pack.id)) : there->second.size != pack.size;
      if (is_lost) lost.insert(pack.id);
    }
  }
  return lost;
}

Status Collector::keep_stand_ins(const ObjectIdSet& lost, Needs& needs) {
  const auto names = std::views::keys(listed_);
  const std::vector<ObjectId> indexes(names.begin(), names.end());
  if (repository_.write_secrets() != nullptr) {
    std::vector<ObjectInfo> unlisted;
    const ObjectIdSet in_an_index = packs_in_indexes();
    for (const auto& [id, info] : packs_) {
      if (!in_an_index.contains(id)) unlisted.push_back(info);
    }
    Result<Needs> found = find_stand_ins(repository_, {.lost = lost, .indexes = indexes, .unlisted = unlisted});
    if (found) {
      needs.packs.merge(found->packs);
      needs.indexes.merge(found->indexes);
      return {};
    }
    if (!is_damage(found.error())) return base::fail(std::move(found).error());
  }
  // Nobody can tell which they are, so any may be one.
  summary_.kept_all = true;
  for (const auto& [id, info] : packs_) needs.packs.insert(id);
  needs.indexes.insert(indexes.begin(), indexes.end());
  return {};
}

// By the names that snapshots give, and what stands in for those of them that are lost.
Result<Needs> Collector::read_all_needs() {
  Needs needs = KURA_TRY(read_needs(repository_, indexed_));
  const ObjectIdSet lost = KURA_TRY(lost_packs(needs));
  summary_.packs_lost = lost.size();
  if (!lost.empty()) KURA_TRY(keep_stand_ins(lost, needs));
  return needs;
}

ObjectIdSet Collector::packs_in_indexes() const {
  ObjectIdSet ids;
  for (const auto& [index, packs] : listed_) {
    for (const IndexedPack& pack : *packs) ids.insert(pack.id);
  }
  return ids;
}

// The garbage that no list condemns yet.
CondemnedObject Collector::choose(const Needs& needs) const {
  const ObjectIdSet in_an_index = packs_in_indexes();
  CondemnedObject chosen;
  ObjectIdSet going;
  for (const auto& [id, info] : packs_) {
    if (needs.packs.contains(id)) continue;
    const bool condemned = condemned_packs_.contains(id);
    if (!condemned && !in_an_index.contains(id) && !is_old(info)) continue;
    going.insert(id);
    if (!condemned) chosen.packs.push_back(id);
  }
  for (const auto& [id, info] : indexes_) {
    if (needs.indexes.contains(id) || condemned_indexes_.contains(id)) continue;
    const auto packs = listed_.find(id);
    const bool all_go = packs != listed_.end() && std::ranges::all_of(*packs->second, [&](const IndexedPack& pack) {
                          return going.contains(pack.id) || !packs_.contains(pack.id);
                        });
    if (all_go || is_old(info)) chosen.indexes.push_back(id);
  }
  std::ranges::sort(chosen.packs);
  std::ranges::sort(chosen.indexes);
  return chosen;
}

Status Collector::put_lists(const CondemnedObject& chosen) {
  CondemnedObject part;
  const auto flush = [&](bool at_end) -> Status {
    const std::size_t count = part.packs.size() + part.indexes.size();
    if (count == 0 || (!at_end && count < kIdsPerList)) return {};
    return put_list(std::exchange(part, {}));
  };
  for (const ObjectId& id : chosen.indexes) {
    part.indexes.push_back(id);
    KURA_TRY(flush(false));
  }
  for (const ObjectId& id : chosen.packs) {
    part.packs.push_back(id);
    KURA_TRY(flush(false));
  }
  return flush(true);
}

Status Collector::put_list(CondemnedObject object) {
  if (KURA_TRY(store_.now()) - looked_ > kLeaseTerm / 2) {
    return base::fail(
        ErrorCode::kConflict,
        fmt::format("it took too long to tell what may go in {}, and others may need it by now", store_.describe()),
        "nothing was removed for it; run `kura gc` again when the store is quicker");
  }
  List list;
  list.id = KURA_TRY_AS(repository_.put(Kind::kCondemned, object.encode()), "cannot say what is about to be removed");
  list.object = std::move(object);
  list.there = KURA_TRY(store_.now());
  list.received = list.there;
  list.own = true;
  lists_.push_back(std::move(list));
  return {};
}

// Those lists that no running job may have overlooked.
Result<std::vector<const List*>> Collector::lists_that_may_go() {
  std::vector<LiveLease> leases;
  for (int round = 0; round < 2; ++round) {
    const std::int64_t now = KURA_TRY(store_.now());
    for (const LiveLease& lease : KURA_TRY(live_leases(store_, now, /*remove_lapsed=*/true))) leases.push_back(lease);
  }
  const std::int64_t now = KURA_TRY(store_.now());
  const std::int64_t clock_error = store_.clock_error();
  std::vector<const List*> ready;
  for (const List& list : lists_) {
    const bool in_use = std::ranges::any_of(
        leases, [&](const LiveLease& lease) { return lease.start <= list.there + clock_error || lease.start > now; });
    if (!in_use) ready.push_back(&list);
  }
  return ready;
}

void Collector::count_waiting(const std::vector<const List*>& ready, const Needs& needs) {
  ObjectIdSet going, waiting;
  for (const List* list : ready) going.insert(list->object.packs.begin(), list->object.packs.end());
  for (const List& list : lists_) {
    for (const ObjectId& id : list.object.packs) {
      const auto pack = packs_.find(id);
      if (pack == packs_.end() || needs.packs.contains(id) || going.contains(id) || !waiting.insert(id).second)
        continue;
      ++summary_.packs_waiting;
      summary_.bytes_waiting += pack->second.size;
    }
  }
}

void Collector::count_dry_run(const CondemnedObject& chosen, const Needs& needs) {
  ObjectIdSet packs(chosen.packs.begin(), chosen.packs.end()), indexes(chosen.indexes.begin(), chosen.indexes.end());
  packs.insert(condemned_packs_.begin(), condemned_packs_.end());
  indexes.insert(condemned_indexes_.begin(), condemned_indexes_.end());
  for (const auto& [id, info] : packs_) {
    if (!packs.contains(id) || needs.packs.contains(id)) continue;
    ++summary_.packs_removed;
    summary_.bytes_freed += info.size;
  }
  for (const auto& [id, info] : indexes_) {
    if (indexes.contains(id) && !needs.indexes.contains(id)) ++summary_.indexes_removed;
  }
}

Status Collector::remove_condemned(const List& list, Kind kind, const ObjectIdSet& needed) {
  InfoMap& present = kind == Kind::kPack ? packs_ : indexes_;
  for (const ObjectId& id : kind == Kind::kPack ? list.object.packs : list.object.indexes) {
    const auto object = present.find(id);
    if (object == present.end() || needed.contains(id)) continue;
    KURA_TRY(check_stop());
    // Gone: another run has done what there was to do.
    if (!KURA_TRY(is_there(Kind::kCondemned, list.id))) return {};
    KURA_TRY(store_.remove(kind, id));
    if (kind == Kind::kPack) {
      ++summary_.packs_removed;
      summary_.bytes_freed += object->second.size;
      progress_.bytes_done += object->second.size;
    } else {
      ++summary_.indexes_removed;
    }
    ++progress_.files_done;
    present.erase(object);
  }
  return {};
}

Status Collector::remove_all(const std::vector<const List*>& ready) {
  const Needs needs = KURA_TRY(read_all_needs());
  count_waiting(ready, needs);
  // No object has this name; but now the next sync() makes durable what anybody removed from the snapshots.
  KURA_TRY(store_.remove(Kind::kSnapshot, ObjectId{}));
  KURA_TRY(store_.sync());

  for (const List* list : ready) {
    progress_.files_total += list->object.packs.size() + list->object.indexes.size();
  }
  for (const List* list : ready) KURA_TRY(remove_condemned(*list, Kind::kIndex, needs.indexes));
  for (const List* list : ready) KURA_TRY(remove_condemned(*list, Kind::kPack, needs.packs));
  KURA_TRY(store_.sync());
  for (const List* list : ready) {
    if (list->own || list->received < now_ - kLeaseTerm) KURA_TRY(store_.remove(Kind::kCondemned, list->id));
  }
  return store_.sync();
}

Result<GcSummary> Collector::run() {
  KURA_TRY(survey());
  KURA_TRY(read_lists());
  looked_ = options_.dry_run ? now_ : KURA_TRY(store_.now());
  const Needs needs = KURA_TRY(read_all_needs());
  KURA_TRY(check_stop());
  const CondemnedObject chosen = choose(needs);
  if (options_.dry_run) {
    count_dry_run(chosen, needs);
    return summary_;
  }
  KURA_TRY(put_lists(chosen));
  const std::vector<const List*> ready = KURA_TRY(lists_that_may_go());
  if (ready.empty()) {
    count_waiting(ready, needs);
    return summary_;
  }
  KURA_TRY(remove_all(ready));
  return summary_;
}

}  // namespace

Result<GcSummary> collect_garbage(const Repository& repository, const GcOptions& options, base::Progress& progress,
                                  std::stop_token stop) {
  GcSummary summary = KURA_TRY(Collector(repository, options, progress, stop).run());
  summary.parity = KURA_TRY(maintain_parity(repository, {.dry_run = options.dry_run, .damaged = {}}, stop));
  return summary;
}

}  // namespace kura::archive
