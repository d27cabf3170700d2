#include "archive/backup/identifier.h"

#include <optional>
#include <utility>

namespace kura::archive {

Identifier::Identifier(const ChunkIndex& known, const base::Key& chunk_id_key)
    : known_(known), needed_(std::make_unique<std::atomic<bool>[]>(known.packs().size())), keyed_(chunk_id_key) {}

ChunkId Identifier::name(Content content, base::ByteSpan text) {
  std::optional<crypto::HmacSha256> keyed;
  if (auto spare = spare_.lock(); !spare->empty()) {
    keyed = std::move(spare->back());
    spare->pop_back();
  }
  if (!keyed) keyed = keyed_.clone();
  const ChunkId id = chunk_id(*keyed, content, text);
  spare_.lock()->push_back(*std::move(keyed));
  return id;
}

Identifier::Outcome Identifier::identify(Content content, base::ByteSpan text) {
  const ChunkId id = name(content, text);
  // An index that claims another size for this id is wrong about it, and is not leaned on.
  if (const auto place = known_.find(id); place && place->size == text.size()) {
    mark(*place);
    return {id, false};
  }
  return {id, new_like(id).lock()->insert(id)};
}

bool Identifier::use(const ChunkId& id) {
  if (const auto place = known_.find(id)) {
    mark(*place);
    return true;
  }
  return new_like(id).lock()->contains(id);
}

}  // namespace kura::archive
