// How well packs are covered by parity.
#pragma once

#include <cstdint>
#include <vector>

#include "archive/parity/inventory.h"

namespace kura::archive {

struct Coverage {
  std::uint64_t packs_unprotected = 0;  // if they are lost, so is what is in them
  std::uint64_t packs_weak = 0;         // covered, but by fewer shards than there should be
};
// Of `packs`, which are there. What is damaged counts as not there.
Coverage coverage_of(const ParityInventory& parity, const std::vector<store::ObjectInfo>& packs,
                     const std::vector<store::ObjectId>& damaged_packs,
                     const std::vector<store::ObjectId>& damaged_shards);

}  // namespace kura::archive
