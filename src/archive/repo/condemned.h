// What a job must not lean on, because garbage collection may be about to remove it (docs/format.md, section 9).
//
// Lists that can be read say so by name. One that cannot (damaged, of a newer version, or put there by somebody to be a
// nuisance) may name whatever was there when it came, but not
// - what the store received after the list: it was not there to be chosen;
// - what a snapshot needs that came a lease's term before the list: the collection read the snapshots, saw this one and
//   put its list, all within that term (gc.cc holds itself to it), so it did not choose that.
// Beside such a list a job leans on these only, and so is neither stopped nor harmed; what else it needs is stored
// anew. That costs a look at all snapshots, and only then.
#pragma once

#include <cstdint>
#include <optional>

#include "archive/format/lease.h"
#include "archive/repo/needs.h"
#include "archive/repo/repository.h"

namespace kura::archive {

class Condemned {
 public:
  // By all lists together. To be read after the lease was put, and before packs and indexes are listed.
  static base::Result<Condemned> read(const Repository& repository);

  // Of packs and indexes. For objects that are there.
  bool may_go(store::Kind kind, const store::ObjectInfo& object) const;
  // By a list that says so: such an object is not saved by putting it again.
  bool names(store::Kind kind, const store::ObjectId& id) const;

 private:
  // Of lists that cannot be read.
  struct Doubt {
    std::int64_t first = 0, last = 0;  // when they were received
    Needs safe;                        // needed by snapshots that are old enough
  };
  base::Status look_at(store::Store& store, const store::ObjectInfo& list);
  Needs named_;  // by lists that can be read
  std::optional<Doubt> doubt_;
};

// One list. kNotFound when it is gone, kDamaged or kUnsupported when it does not tell.
base::Result<CondemnedObject> read_condemned_list(store::Store& store, const store::ObjectId& id);

}  // namespace kura::archive
