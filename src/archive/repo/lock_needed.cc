#include "archive/repo/lock_needed.h"

#include "archive/repo/known_locks.h"
#include "base/time.h"

namespace kura::archive {
namespace {

using base::Status;
using store::Kind;
using store::ObjectId;

Status extend(store::Store& store, Kind kind, const std::vector<ObjectId>& ids, KnownLocks& known) {
  std::vector<store::Lock> locks;
  locks.reserve(ids.size());
  for (const ObjectId& id : ids) locks.push_back({.id = id, .until = known.until(id)});
  const Status status = store.extend_locks(kind, locks);
  // Also what was done before it failed.
  for (const store::Lock& lock : locks) known.set(lock.id, lock.until);
  return status;
}

Status extend_all(store::Store& store, Kind kind, KnownLocks& known) {
  std::vector<ObjectId> ids;
  for (const store::ObjectInfo& object : KURA_TRY(store.list(kind))) ids.push_back(object.id);
  return extend(store, kind, ids, known);
}

}  // namespace

std::string known_locks_path(const Repository& repository) {
  const auto& state = repository.machine_state();
  return state ? state->folder() + "/locks" : "";
}

Status lock_needed(store::Store& store, const std::string& memory, const std::vector<ObjectId>& packs,
                   const std::vector<ObjectId>& indexes) {
  if (!store.locks_objects()) return {};
  KnownLocks known = memory.empty() ? KnownLocks{} : KnownLocks::load(memory);
  const Status status = [&]() -> Status {
    KURA_TRY(extend_all(store, Kind::kConfig, known));
    KURA_TRY(extend_all(store, Kind::kKey, known));
    KURA_TRY(extend(store, Kind::kIndex, indexes, known));
    return extend(store, Kind::kPack, packs, known);
  }();
  if (!memory.empty()) known.save(memory, base::now_ns());
  return status;
}

}  // namespace kura::archive
