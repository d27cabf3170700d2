// How many bytes a backup uses of each pack that was there before it, each chunk counted once however often it occurs.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "archive/repo/chunk_index.h"

namespace kura::archive {

// Shared by threads. Memory: 2 bytes for each known chunk. Which chunks were counted is remembered by one bit of their
// ids' hash, so about 1 in 32 is taken for another one and not counted: good enough to tell how full a pack is.
class UseCounter {
 public:
  explicit UseCounter(const ChunkIndex& known)
      : words_(known.chunk_count() / kChunksPerWord + 1),
        met_(std::make_unique<std::atomic<std::uint64_t>[]>(words_)),
        used_(std::make_unique<std::atomic<std::uint64_t>[]>(known.packs().size())) {}

  void add(const ChunkId& id, const ChunkPlace& place) {
    const std::uint64_t hash = base::DigestHash()(id);
    std::atomic<std::uint64_t>& word = met_[(hash >> 6) % words_];
    const std::uint64_t bit = std::uint64_t{1} << (hash & 63);
    // Looked at first: most chunks that occur often were met, and a word that is only read stays in every cache.
    if ((word.load(std::memory_order_relaxed) & bit) != 0) return;
    if ((word.fetch_or(bit, std::memory_order_relaxed) & bit) != 0) return;
    used_[place.pack].fetch_add(place.size, std::memory_order_relaxed);
  }
  // Bytes, before compression.
  std::uint64_t used(std::size_t pack) const { return used_[pack].load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kChunksPerWord = 4;  // 16 bits each

  const std::size_t words_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> met_, used_;
};

}  // namespace kura::archive
