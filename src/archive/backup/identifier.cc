#include "archive/backup/identifier.h"

namespace kura::archive {

Identifier::Identifier(const ChunkIndex& known)
    : known_(known), needed_(std::make_unique<std::atomic<bool>[]>(known.packs().size())) {}

bool Identifier::claim(const ChunkId& id, std::size_t size) {
  // An index that claims another size for this id is wrong about it, and is not leaned on.
  if (const auto place = known_.find(id); place && place->size == size) {
    mark(*place);
    return false;
  }
  return new_like(id).lock()->insert(id);
}

bool Identifier::use(const ChunkId& id) {
  if (const auto place = known_.find(id)) {
    mark(*place);
    return true;
  }
  return new_like(id).lock()->contains(id);
}

}  // namespace kura::archive
