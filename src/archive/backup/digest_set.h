// A set of chunk ids that takes little more than their bytes: the ids one after another, and a table of their numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "base/bytes.h"

namespace kura::archive {

// Not shared between threads. Ids are uniform, so eight of their bytes are the hash. At most 45 bytes an id, which are
// not copied when the set grows; fewer than 2^32 ids.
class DigestSet {
 public:
  // False when it was there already.
  bool insert(const base::Digest& id) {
    if ((ids_.size() + 1) * 4 > slots_.size() * 3) grow();
    std::uint32_t& slot = slots_[find(id)];
    if (slot != kFree) return false;
    slot = static_cast<std::uint32_t>(ids_.size());
    ids_.push_back(id);
    return true;
  }
  bool contains(const base::Digest& id) const { return !ids_.empty() && slots_[find(id)] != kFree; }
  std::size_t size() const { return ids_.size(); }

 private:
  static constexpr std::uint32_t kFree = 0xffffffff;

  // The slot that has `id`, or the free one where it belongs.
  std::size_t find(const base::Digest& id) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = base::DigestHash()(id) & mask;
    while (slots_[at] != kFree && ids_[slots_[at]] != id) at = (at + 1) & mask;
    return at;
  }
  void grow() {
    slots_.assign(slots_.empty() ? 16 : 2 * slots_.size(), kFree);
    for (std::uint32_t number = 0; const base::Digest& id : ids_) slots_[find(id)] = number++;
  }

  std::deque<base::Digest> ids_;      // in the order they came
  std::vector<std::uint32_t> slots_;  // numbers of ids_; a power of two
};

}  // namespace kura::archive
