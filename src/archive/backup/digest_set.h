// A set of chunk ids that takes little more than their bytes: open addressing, no node for each.
#pragma once

#include <vector>

#include "base/bytes.h"

namespace kura::archive {

// Not shared between threads. Ids are uniform, so eight of their bytes are the hash; the id of all zeros, which no
// HMAC gives, marks what is free. At most 64 bytes an id.
class DigestSet {
 public:
  // False when it was there already.
  bool insert(const base::Digest& id) {
    if ((count_ + 1) * 4 > slots_.size() * 3) grow();
    base::Digest& slot = slots_[find(id)];
    if (!slot.is_zero()) return false;
    slot = id;
    ++count_;
    return true;
  }
  bool contains(const base::Digest& id) const { return count_ != 0 && !slots_[find(id)].is_zero(); }
  std::size_t size() const { return count_; }

 private:
  // The slot that has `id`, or the free one where it belongs.
  std::size_t find(const base::Digest& id) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = base::DigestHash()(id) & mask;
    while (!slots_[at].is_zero() && slots_[at] != id) at = (at + 1) & mask;
    return at;
  }
  void grow() {
    std::vector<base::Digest> old(slots_.empty() ? 16 : 2 * slots_.size());
    old.swap(slots_);
    for (const base::Digest& id : old) {
      if (!id.is_zero()) slots_[find(id)] = id;
    }
  }

  std::vector<base::Digest> slots_;  // a power of two
  std::size_t count_ = 0;
};

}  // namespace kura::archive
