#include "archive/backup/identifier.h"

#include <utility>

namespace kura::archive {

Identifier::Identifier(const ChunkIndex& known, CompactionPlan plan)
    : known_(known),
      plan_(std::move(plan)),
      needed_(std::make_unique<std::atomic<bool>[]>(known.packs().size())),
      uses_(known) {}

std::optional<Identifier::Found> Identifier::find(const ChunkId& id, std::optional<std::size_t> size) const {
  // Nearly always the first copy will do, and is found without gathering the others.
  const std::optional<ChunkPlace> first = known_.find(id);
  if (!first) return std::nullopt;
  if (role(first->pack) == PackRole::kInUse && (!size || first->size == *size)) return Found{*first};
  std::optional<Found> best;
  bool best_is_idle = false;
  for (const ChunkPlace& copy : known_.copies(id)) {
    // An index that claims another size for this id is wrong about it, and is not leaned on.
    if (size && copy.size != *size) continue;
    const PackRole found = role(copy.pack);
    if (found == PackRole::kInUse) return Found{copy};
    // The copy in an idle pack is an old one of that in the sparse pack: it would keep yet another pack.
    const bool is_better = !best || (best_is_idle && found == PackRole::kSparse);
    if (!is_better) continue;
    best = Found{.place = copy, .sparse = found == PackRole::kSparse};
    best_is_idle = found == PackRole::kIdle;
  }
  return best;
}

bool Identifier::within_limit(std::size_t size) {
  if (limit_reached_) return false;
  if (compacted_.fetch_add(size) + size <= plan_.limit) return true;
  compacted_ -= size;
  limit_reached_ = true;
  return false;
}

// True when the caller has to store it.
bool Identifier::put_again(const ChunkId& id, const ChunkPlace& place) {
  const auto fresh = new_like(id).lock();
  if (fresh->contains(id)) return false;
  if (within_limit(place.size)) return fresh->insert(id);
  mark(id, place);
  return false;
}

bool Identifier::claim(const ChunkId& id, std::size_t size) {
  const std::optional<Found> found = find(id, size);
  if (!found) return new_like(id).lock()->insert(id);
  if (found->sparse) return put_again(id, found->place);
  mark(id, found->place);
  return false;
}

bool Identifier::use(const ChunkId& id) {
  const std::optional<Found> found = find(id, std::nullopt);
  if (!found || (found->sparse && !limit_reached_)) return new_like(id).lock()->contains(id);
  mark(id, found->place);
  return true;
}

bool Identifier::keep(const ChunkId& id) {
  if (new_like(id).lock()->contains(id)) return true;
  const std::optional<Found> found = find(id, std::nullopt);
  if (found) mark(id, found->place);
  return found.has_value();
}

std::size_t Identifier::packs_compacted() const {
  std::size_t count = 0;
  for (std::size_t number = 0; number < plan_.roles.size(); ++number) {
    if (plan_.roles[number] == PackRole::kSparse && !needs(number)) ++count;
  }
  return count;
}

}  // namespace kura::archive
