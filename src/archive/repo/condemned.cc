#include "archive/repo/condemned.h"

#include <algorithm>

#include "archive/format/limits.h"
#include "archive/repo/lease.h"

namespace kura::archive {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;
using store::ObjectInfo;

bool does_not_tell(const base::Error& error) {
  return error.code() == ErrorCode::kDamaged || error.code() == ErrorCode::kUnsupported;
}

const ObjectIdSet& of_kind(const Needs& needs, Kind kind) { return kind == Kind::kPack ? needs.packs : needs.indexes; }

// What the snapshots need that were received before `time`. One that cannot be read adds nothing.
Result<Needs> needs_of_snapshots_before(const Repository& repository, std::int64_t time) {
  Needs needs;
  ClearIndexes indexes(repository);
  for (const StoredSnapshot& stored : KURA_TRY(repository.snapshots()).snapshots) {
    if (stored.received >= time) continue;
    for (const NeededPacks& needed : stored.snapshot.needs) needs.indexes.insert(needed.index);
    const Status status =
        for_each_need(stored.snapshot, indexes, [&](const IndexedPack& pack) { needs.packs.insert(pack.id); });
    if (!status && !does_not_tell(status.error())) return base::fail(status.error());
  }
  return needs;
}

}  // namespace

Result<CondemnedObject> read_condemned_list(store::Store& store, const store::ObjectId& id) {
  const base::Bytes bytes = KURA_TRY(store.get(Kind::kCondemned, id, kCondemnedLimit));
  return KURA_TRY_AS(CondemnedObject::decode(bytes), "condemned list " + id.hex());
}

Status Condemned::look_at(store::Store& store, const ObjectInfo& list) {
  const Result<CondemnedObject> object = read_condemned_list(store, list.id);
  if (object) {
    named_.packs.insert(object->packs.begin(), object->packs.end());
    named_.indexes.insert(object->indexes.begin(), object->indexes.end());
    return {};
  }
  if (object.error().code() == ErrorCode::kNotFound) return {};  // done meanwhile
  if (!does_not_tell(object.error())) return base::fail(object.error());
  if (!doubt_) doubt_.emplace(Doubt{.first = list.received, .last = list.received, .safe = {}});
  doubt_->first = std::min(doubt_->first, list.received);
  doubt_->last = std::max(doubt_->last, list.received + store.clock_error());
  return {};
}

Result<Condemned> Condemned::read(const Repository& repository) {
  Condemned condemned;
  for (const ObjectInfo& list : KURA_TRY(repository.store().list(Kind::kCondemned))) {
    KURA_TRY(condemned.look_at(repository.store(), list));
  }
  if (condemned.doubt_) {
    condemned.doubt_->safe = KURA_TRY(needs_of_snapshots_before(repository, condemned.doubt_->first - kLeaseTerm));
  }
  return condemned;
}

bool Condemned::names(Kind kind, const store::ObjectId& id) const { return of_kind(named_, kind).contains(id); }

bool Condemned::may_go(Kind kind, const ObjectInfo& object) const {
  if (names(kind, object.id)) return true;
  return doubt_ && object.received <= doubt_->last && !of_kind(doubt_->safe, kind).contains(object.id);
}

}  // namespace kura::archive
