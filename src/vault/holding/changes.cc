// What snapshots need, and how that changes from one to the next of a series.
#include <algorithm>
#include <utility>

#include "archive/format/limits.h"
#include "vault/holding/holding.h"

namespace kura::vault {
namespace {

using base::Result;
using store::Kind;
using store::ObjectId;
using store::ObjectInfo;
using Ids = std::unordered_set<ObjectId, base::DigestHash>;
using Sizes = std::unordered_map<ObjectId, std::uint64_t, base::DigestHash>;

// The packs that `one` needs of its index and `other`, if it is there, does not.
void add_difference(Sizes& found, const archive::NeededPacks& one, const archive::NeededPacks* other,
                    const std::vector<ObjectInfo>& packs) {
  for (std::size_t k = 0; k < packs.size(); ++k) {
    if (one.has(k) && (other == nullptr || !other->has(k))) found.emplace(packs[k].id, packs[k].size);
  }
}

const archive::NeededPacks* of_index(const archive::Snapshot& snapshot, const ObjectId& index) {
  const auto at = std::ranges::find(snapshot.needs, index, &archive::NeededPacks::index);
  return at == snapshot.needs.end() ? nullptr : &*at;
}

// Of those that are not in `others`: one that moved from an index to another is no change.
std::uint64_t sum_without(const Sizes& sizes, const Sizes& others) {
  std::uint64_t sum = 0;
  for (const auto& [id, size] : sizes) {
    if (!others.contains(id)) sum += size;
  }
  return sum;
}

}  // namespace

Result<archive::Snapshot> Holding::read_snapshot(const ObjectId& id) const {
  return archive::Snapshot::decode(KURA_TRY(store_->get(Kind::kSnapshot, id, archive::kSnapshotLimit)), nullptr);
}

// The one that a later one of the series is compared with.
std::optional<HeldSnapshot> Holding::newest_trusted(const SeriesKey& series) const {
  const base::MutexLock lock(mutex_);
  const HeldSnapshot* newest = nullptr;
  for (const auto& [id, held] : snapshots_) {
    if (SeriesKey(held.machine, held.series) != series || !held.suspicion.empty()) continue;
    if (newest == nullptr || held.sequence > newest->sequence) newest = &held;
  }
  return newest == nullptr ? std::nullopt : std::optional(*newest);
}

// A snapshot before that cannot be read any more keeps no new one out: it counts as the first, and scrubbing tells.
Result<Change> Holding::change_of(const archive::Snapshot& snapshot) {
  const std::optional<HeldSnapshot> held = newest_trusted({snapshot.machine, snapshot.series});
  archive::Snapshot before;
  Change change;
  if (held) {
    if (Result<archive::Snapshot> read = read_snapshot(held->id)) {
      before = *std::move(read);
      change.before = held->needed;
    }
  }
  Sizes added, dropped;
  for (const archive::NeededPacks& need : snapshot.needs) {
    add_difference(added, need, of_index(before, need.index), *KURA_TRY(packs_of(need.index)));
  }
  for (const archive::NeededPacks& need : before.needs) {
    if (const Result<PackList> packs = packs_of(need.index)) {
      add_difference(dropped, need, of_index(snapshot, need.index), **packs);
    }
  }
  change.added = sum_without(added, dropped);
  change.dropped = std::min(sum_without(dropped, added), change.before);
  return change;
}

std::optional<std::string> Holding::suspicion_of(const SeriesKey& series, const Change& change) const {
  const base::MutexLock lock(mutex_);
  if (!policy_.tripwire) return std::nullopt;
  const auto at = changes_.find(series);
  return surprise(change, at == changes_.end() ? std::span<const Change>() : std::span(at->second));
}

Holding::Needs Holding::remembered() {
  Needs known;
  const Result<std::vector<ObjectInfo>> indexes = list(Kind::kIndex);
  if (!indexes) return known;
  std::vector<ObjectId> ids, gone;
  for (const ObjectInfo& info : *indexes) ids.push_back(info.id);
  (void)derived_->for_each(ids, [&](const ObjectId& id, const std::vector<archive::NeededPacks>& needs) {
    if (!stat(Kind::kSnapshot, id)) {
      gone.push_back(id);
      return;
    }
    for (const archive::NeededPacks& need : needs) known.packs[need.index].add(need.bits);
    known.snapshots.insert(id);
  });
  derived_->forget(std::move(gone));
  return known;
}

void Holding::take_remembered(Needs remembered) {
  if (!needs_.snapshots.empty()) return;
  for (const ObjectId& id : remembered.snapshots) {
    if (!stat(Kind::kSnapshot, id)) return;
  }
  needs_ = std::move(remembered);
}

// Packs and indexes.
Result<Ids> Holding::needed_by(const std::vector<HeldSnapshot>& snapshots, Needs& known) {
  for (const HeldSnapshot& held : snapshots) {
    if (known.snapshots.contains(held.id)) continue;
    const archive::Snapshot snapshot = KURA_TRY(read_snapshot(held.id));
    for (const archive::NeededPacks& need : snapshot.needs) known.packs[need.index].add(need.bits);
    known.snapshots.insert(held.id);
    derived_->remember(held.id, snapshot.needs);
  }
  Ids needed;
  for (const auto& [index, all] : known.packs) {
    needed.insert(index);
    const PackList list = KURA_TRY(packs_of(index));
    const std::vector<ObjectInfo>& packs = *list;
    for (std::size_t k = 0; k < packs.size(); ++k) {
      if (all.has(k)) needed.insert(packs[k].id);
    }
  }
  return needed;
}

}  // namespace kura::vault
