// Which snapshots a copy is about. For copy_*.cc.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "archive/repo/repository.h"

namespace kura::archive {

struct CopySelection {
  std::vector<StoredSnapshot> snapshots;  // in the order received
  std::optional<base::Error> damage;      // the first of those that cannot be read
};

// kNotFound when one of `only` is not there.
inline base::Result<CopySelection> select_for_copy(const Repository& from, const std::vector<store::ObjectId>& only) {
  SnapshotList list = KURA_TRY(from.snapshots());
  const auto wanted = [&](const store::ObjectId& id) {
    return only.empty() || std::ranges::find(only, id) != only.end();
  };
  CopySelection selection;
  std::size_t found = 0;
  for (DamagedObject& at : list.damaged) {
    if (!wanted(at.id)) continue;
    ++found;
    if (!selection.damage) selection.damage = std::move(at.error);
  }
  std::erase_if(list.snapshots, [&](const StoredSnapshot& stored) { return !wanted(stored.id); });
  found += list.snapshots.size();
  selection.snapshots = std::move(list.snapshots);
  for (const store::ObjectId& id : only) {
    if (found == only.size()) break;
    if (!from.store().stat(store::Kind::kSnapshot, id)) {
      return base::fail(base::ErrorCode::kNotFound,
                        fmt::format("snapshot {} is not in {}", id.hex(), from.store().describe()),
                        "see what is there with `kura snapshots`");
    }
  }
  return selection;
}

}  // namespace kura::archive
