// Chunks that are wanted, put together to few reads of the store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <tuple>

#include "archive/repo/chunk_index.h"

namespace kura::archive {

inline bool in_order_stored(const ChunkPlace& a, const ChunkPlace& b) {
  return std::tie(a.pack, a.frame, a.offset) < std::tie(b.pack, b.frame, b.offset);
}

// How many of `wanted`, which are in the order stored and not none, lie in frames of one pack one after another and
// fit into one read of 4 MiB; those of the first frame always do. `place_of` gives the ChunkPlace of one.
template <typename Wanted, typename PlaceOf>
std::size_t run_length(const ChunkIndex& index, std::span<const Wanted> wanted, PlaceOf place_of) {
  constexpr std::uint64_t kReadLimit = 4U << 20;
  const ChunkPlace& start = std::invoke(place_of, wanted.front());
  const std::uint64_t begin = index.frame(start.pack, start.frame).offset;
  std::size_t count = 1;
  for (std::uint32_t last = start.frame; count < wanted.size(); ++count) {
    const ChunkPlace& next = std::invoke(place_of, wanted[count]);
    if (next.pack != start.pack) break;
    if (next.frame == last) continue;
    if (next.frame != last + 1) break;
    const FramePlace frame = index.frame(next.pack, next.frame);
    if (frame.offset + frame.sealed_size - begin > kReadLimit) break;
    last = next.frame;
  }
  return count;
}

}  // namespace kura::archive
