// Objects to store, the same in every run.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "crypto/hash.h"
#include "store/store.h"

namespace kura::store {

struct Sample {
  base::Bytes bytes;
  ObjectId id;
};

// No two seeds give the same bytes; no byte is zero, so that a lost page shows.
inline Sample sample(std::uint64_t seed, std::size_t size = 1000) {
  base::Bytes bytes(std::max<std::size_t>(size, 8));
  std::uint64_t state = seed * 0x9E3779B97F4A7C15u + 1;
  for (std::uint8_t& byte : bytes) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    byte = static_cast<std::uint8_t>(1 + (state >> 56) % 255);
  }
  for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::uint8_t>(1 + ((seed >> (7 * i)) & 127));
  const ObjectId id = crypto::sha256(bytes);
  return {std::move(bytes), id};
}

// The ids of what a store lists, sorted; or none when it fails.
inline std::vector<ObjectId> listed(Store& store, Kind kind) {
  std::vector<ObjectId> ids;
  if (const auto objects = store.list(kind)) {
    for (const ObjectInfo& object : *objects) ids.push_back(object.id);
  }
  std::ranges::sort(ids);
  return ids;
}

inline constexpr std::uint64_t kNoLimit = std::uint64_t{1} << 40;

}  // namespace kura::store
