// Packs that stand in for lost ones. What a lost pack held may have been stored again by a backup that found it gone,
// in packs that only its own and later snapshots name. Readers find it there (repo/pack_reader.h); so garbage
// collection keeps these packs as long as a snapshot needs the lost one.
#pragma once

#include <vector>

#include "archive/repo/needs.h"

namespace kura::archive {

struct StandInSearch {
  const ObjectIdSet& lost;                         // packs
  const std::vector<store::ObjectId>& indexes;     // all that can be read without a key
  const std::vector<store::ObjectInfo>& unlisted;  // packs that are in none of them
};

// All packs, lost ones aside, with any chunk of a lost one, and the indexes that list them. Needs the catalog key. Who
// can write indexes can make it too many, and not too few. kDamaged when an index does not tell.
// Memory: the chunk ids of the lost packs.
base::Result<Needs> find_stand_ins(const Repository& repository, const StandInSearch& search);

}  // namespace kura::archive
