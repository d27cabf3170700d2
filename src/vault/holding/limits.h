// How large the objects of each kind may be that a vault takes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "archive/format/limits.h"
#include "store/object.h"

namespace kura::vault {

inline constexpr std::size_t kMostInEntry = 100'000;  // ids: an entry of a journal has at most 16 MiB

// Bytes; 0 for kinds that it does not take.
inline std::uint64_t limit_of(store::Kind kind) {
  switch (kind) {
    case store::Kind::kConfig:
      return archive::kConfigLimit;
    case store::Kind::kKey:
      return archive::kKeyLimit;
    case store::Kind::kPack:
      return archive::kPackLimit;
    case store::Kind::kIndex:
      return archive::kIndexLimit;
    case store::Kind::kSnapshot:
      return archive::kSnapshotLimit;
    case store::Kind::kLease:
      return archive::kLeaseLimit;
    case store::Kind::kCondemned:
      return 0;
    case store::Kind::kParity:
      return archive::kParityLimit;
  }
  return 0;
}

}  // namespace kura::vault
