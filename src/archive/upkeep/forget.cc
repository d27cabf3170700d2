#include "archive/upkeep/forget.h"

namespace kura::archive {

using base::Status;
using store::Kind;

Status forget_snapshots(const Repository& repository, const std::vector<store::ObjectId>& ids) {
  store::Store& store = repository.store();
  // All are looked for before the first one goes.
  for (const store::ObjectId& id : ids) KURA_TRY(store.stat(Kind::kSnapshot, id));
  for (const store::ObjectId& id : ids) KURA_TRY(store.remove(Kind::kSnapshot, id));
  return store.sync();
}

}  // namespace kura::archive
