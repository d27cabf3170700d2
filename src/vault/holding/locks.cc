// Objects in a bucket with Object Lock: all that is kept is locked for the time in the vault's address at least, from
// now on and not from when it came, so that not even this vault can remove it, nor who has taken the vault over.
#include <algorithm>
#include <utility>

#include "base/time.h"
#include "vault/holding/holding.h"
#include "vault/holding/limits.h"

namespace kura::vault {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;
using store::ObjectId;
using store::ObjectInfo;

std::vector<store::Lock> locks_of(const std::vector<ObjectId>& ids) {
  std::vector<store::Lock> locks;
  locks.reserve(ids.size());
  for (const ObjectId& id : ids) locks.push_back({.id = id});
  return locks;
}

}  // namespace

Status Holding::lock(Kind kind, const std::vector<ObjectId>& ids) {
  std::vector<store::Lock> locks = locks_of(ids);
  return store_->extend_locks(kind, locks);
}

// What is not there keeps no other from being locked: scrubbing tells of it.
Status Holding::renew_locks(Kind kind, const std::vector<ObjectId>& ids) {
  std::vector<store::Lock> locks = locks_of(ids);
  derived_->fill_in(kind, locks);
  const std::vector<store::Lock> before = locks;
  const auto is_missing = [](const Status& status) { return !status && status.error().code() == ErrorCode::kNotFound; };
  Status status = store_->extend_locks(kind, locks);
  for (std::size_t i = 0; is_missing(status) && i < locks.size(); ++i) {
    Status one = store_->extend_locks(kind, std::span(locks).subspan(i, 1));
    if (!one && !is_missing(one)) status = std::move(one);
  }
  std::vector<store::Lock> moved;
  for (std::size_t i = 0; i < locks.size(); ++i) {
    if (locks[i].until != before[i].until) moved.push_back(locks[i]);
  }
  derived_->remember_locks(kind, std::move(moved));
  return is_missing(status) ? Status{} : status;
}

// Before the commit is in the journal: a snapshot that has a receipt is locked with all that it needs.
Status Holding::lock_needs(const archive::Snapshot& snapshot) {
  if (!store_->locks_objects()) return {};
  std::vector<ObjectId> indexes, packs;
  for (const archive::NeededPacks& need : snapshot.needs) indexes.push_back(need.index);
  const auto no_index = [this](const ObjectId& index) -> Status { return base::fail(not_here(Kind::kIndex, index)); };
  KURA_TRY(for_each_need(snapshot, no_index, [&](const ObjectInfo& pack, Presence) { packs.push_back(pack.id); }));
  std::ranges::sort(packs);
  packs.erase(std::ranges::unique(packs).begin(), packs.end());
  KURA_TRY(lock(Kind::kIndex, indexes));
  return lock(Kind::kPack, packs);
}

Status Holding::renew_locks() {
  if (!store_->locks_objects()) return {};
  std::vector<ObjectId> held, packs, indexes;
  {
    const base::MutexLock one_at_a_time(committing_);
    const std::vector<HeldSnapshot> all = snapshots();
    for (const HeldSnapshot& snapshot : all) held.push_back(snapshot.id);
    for (const ObjectId& id : KURA_TRY(needed_by(all, needs_))) {
      (stat(Kind::kPack, id) ? packs : indexes).push_back(id);
    }
  }
  for (const Kind kind : {Kind::kConfig, Kind::kKey}) {
    std::vector<ObjectId> ids;
    for (const ObjectInfo& info : KURA_TRY(list(kind))) ids.push_back(info.id);
    KURA_TRY(renew_locks(kind, ids));
  }
  KURA_TRY(renew_locks(Kind::kIndex, indexes));
  KURA_TRY(renew_locks(Kind::kPack, packs));
  return renew_locks(Kind::kSnapshot, held);
}

// Asks once for each, and again when its lock has ended by what was said then.
Result<std::vector<ObjectId>> Holding::removable(Kind kind, std::vector<ObjectId> ids) {
  if (!store_->locks_objects()) return ids;
  const std::int64_t now = base::now_ns();
  std::vector<ObjectId> removable;
  for (const ObjectId& id : ids) {
    const auto known = locked_until_.find(id);
    if (known != locked_until_.end() && known->second > now) continue;
    const std::int64_t until = KURA_TRY(store_->locked_until(kind, id));
    locked_until_.erase(id);
    if (until > now) {
      locked_until_.emplace(id, until);
    } else {
      removable.push_back(id);
    }
  }
  return removable;
}

// Snapshots that the journal says are gone; those that are locked are left for later.
Status Holding::remove_leftovers() {
  std::vector<ObjectId> ids;
  {
    const base::MutexLock lock(mutex_);
    ids.assign(leftovers_.begin(), leftovers_.end());
  }
  ids = KURA_TRY(removable(Kind::kSnapshot, std::move(ids)));
  return ids.empty() ? Status{} : remove_all(Kind::kSnapshot, ids);
}

}  // namespace kura::vault
