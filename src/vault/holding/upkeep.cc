// What goes from a vault, and why: retention, what two people wanted, garbage collection.
#include <algorithm>
#include <utility>

#include "archive/format/limits.h"
#include "archive/format/snapshot.h"
#include "archive/upkeep/retention.h"
#include "vault/holding/holding.h"
#include "vault/holding/limits.h"

namespace kura::vault {
namespace {

using base::Result;
using base::Status;
using store::Kind;
using store::ObjectId;
using store::ObjectInfo;
using Steady = std::chrono::steady_clock;
using Ids = std::unordered_set<ObjectId, base::DigestHash>;

// Suspect snapshots have buckets of their own, so they never displace another.
archive::Series retention_series(const HeldSnapshot& held) {
  archive::Series series = held.series;
  if (held.suspicion.empty()) return series;
  for (std::uint8_t& byte : series) byte = static_cast<std::uint8_t>(~byte);
  return series;
}

}  // namespace

Result<std::size_t> Holding::expire() {
  const base::MutexLock one_at_a_time(committing_);
  if (is_frozen()) return std::size_t{0};
  std::vector<archive::StoredSnapshot> stored;
  for (const HeldSnapshot& held : snapshots()) {
    archive::Snapshot snapshot;
    snapshot.machine = held.machine;
    snapshot.number = held.number;
    snapshot.series = retention_series(held);
    snapshot.started = held.started;
    stored.push_back({.id = held.id, .received = held.received, .snapshot = std::move(snapshot)});
  }
  std::vector<ObjectId> gone;
  for (const archive::KeepDecision& decision : archive::decide(stored, policy().keep, now())) {
    if (!decision.keep) gone.push_back(decision.id);
  }
  if (gone.empty()) return std::size_t{0};
  KURA_TRY(let_go({.type = EventType::kExpire, .kind = Kind::kSnapshot, .objects = gone}));
  return gone.size();
}

// The journal first: what it says is gone stays gone, whatever a crash leaves of the objects.
Status Holding::let_go(Event event) {
  std::uint64_t bytes = 0;
  for (const ObjectId& id : event.objects) {
    if (const Result<ObjectInfo> info = stat(Kind::kSnapshot, id)) bytes += info->size;
  }
  const std::vector<ObjectId> ids = event.objects;
  KURA_TRY(write(std::move(event)));
  derived_->forget(ids);
  needs_ = {};  // what they alone needed is needed no more
  {
    const base::MutexLock lock(mutex_);
    leftovers_.insert(ids.begin(), ids.end());
  }
  KURA_TRY(remove_leftovers());
  space_->released(name(), bytes);
  return {};
}

// Of snapshots that are still here; a request may be older than their expiry.
Status Holding::carry_out(const Request& request) {
  if (!request.policy.empty()) {
    KURA_TRY(write({.type = EventType::kPolicy,
                    .who = request.approved_by,
                    .text = request.policy,
                    .refers_to = request.sequence}));
    return {};
  }
  std::vector<ObjectId> here = request.snapshots;
  std::erase_if(here, [&](const ObjectId& id) { return !stat(Kind::kSnapshot, id); });
  const Kind kind = here.empty() ? Event{}.kind : Kind::kSnapshot;
  return let_go({.type = EventType::kDelete,
                 .who = request.approved_by,
                 .kind = kind,
                 .objects = std::move(here),
                 .refers_to = request.sequence});
}

Result<std::size_t> Holding::carry_out(std::int64_t delay) {
  const base::MutexLock one_at_a_time(committing_);
  if (is_frozen()) return std::size_t{0};
  std::vector<Request> due;
  {
    const base::MutexLock lock(mutex_);
    due = requests_.due(now(), delay);
  }
  for (const Request& request : due) KURA_TRY(carry_out(request));
  return due.size();
}

Status Holding::remove_all(Kind kind, const std::vector<ObjectId>& ids) {
  for (const ObjectId& id : ids) {
    KURA_TRY(store_->remove(kind, id));
    const base::MutexLock lock(mutex_);
    leftovers_.erase(id);
  }
  if (store_->locks_objects()) derived_->forget_locks(kind, ids);
  return store_->sync();
}

// Those of `unneeded` for whom that has been so for `grace`.
std::vector<ObjectId> Holding::long_unneeded(const std::vector<ObjectId>& unneeded, Steady::duration grace) {
  const Steady::time_point now = Steady::now();
  std::vector<ObjectId> old;
  for (const ObjectId& id : unneeded) {
    const auto since = unneeded_since_.try_emplace(id, now).first->second;
    if (now - since >= grace && old.size() < kMostInEntry) old.push_back(id);
  }
  return old;
}

bool Holding::needs_are_unknown() {
  const base::MutexLock one_at_a_time(committing_);
  return needs_.snapshots.empty();
}

Result<Holding::Collected> Holding::collect(Steady::duration grace) {
  Needs known;
  if (needs_are_unknown()) known = remembered();
  const base::MutexLock one_at_a_time(committing_);
  Collected collected;
  take_remembered(std::move(known));
  if (is_frozen()) return collected;
  KURA_TRY(remove_leftovers());
  const Ids wanted = KURA_TRY(needed_by(snapshots(), needs_));
  std::erase_if(unneeded_since_, [&](const auto& known) { return wanted.contains(known.first); });
  for (const Kind kind : {Kind::kIndex, Kind::kPack}) {
    std::vector<ObjectId> unneeded;
    std::unordered_map<ObjectId, std::uint64_t, base::DigestHash> sizes;
    for (const ObjectInfo& info : KURA_TRY(list(kind))) {
      if (wanted.contains(info.id)) continue;
      unneeded.push_back(info.id);
      sizes.emplace(info.id, info.size);
    }
    const std::vector<ObjectId> old = KURA_TRY(removable(kind, long_unneeded(unneeded, grace)));
    if (old.empty()) continue;
    std::uint64_t bytes = 0;
    for (const ObjectId& id : old) bytes += sizes.at(id);
    KURA_TRY(collect(kind, old));
    space_->released(name(), bytes);
    collected.bytes += bytes;
    (kind == Kind::kPack ? collected.packs : collected.indexes) += old.size();
  }
  return collected;
}

// The journal first here too.
Status Holding::collect(Kind kind, const std::vector<ObjectId>& old) {
  KURA_TRY(write({.type = EventType::kCollect, .kind = kind, .objects = old}));
  {
    const base::MutexLock lock(mutex_);
    for (const ObjectId& id : old) {
      packs_.erase(id);
      indexes_.erase(id);
    }
  }
  for (const ObjectId& id : old) unneeded_since_.erase(id);
  return remove_all(kind, old);
}

}  // namespace kura::vault
