// Tells chunks that are stored already from those that are new.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "archive/backup/digest_set.h"
#include "archive/format/pack.h"
#include "archive/repo/chunk_index.h"
#include "base/guarded.h"

namespace kura::archive {

// Shared by threads.
class Identifier {
 public:
  // `known` has only packs that may be leaned on, and outlives this.
  explicit Identifier(const ChunkIndex& known);

  // True when the caller, and nobody else, has to store the chunk. Marks the pack of a known one as needed. A search in
  // the index.
  bool claim(const ChunkId& id, std::size_t size);
  // For a chunk that was stored by an earlier backup: marks its pack as needed. False when nobody has it.
  bool use(const ChunkId& id);

  // Whether pack `number` of the known ones holds a chunk that claim() or use() met.
  bool needs(std::size_t number) const { return needed_[number].load(std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kShards = 64;
  void mark(const ChunkPlace& place) { needed_[place.pack].store(true, std::memory_order_relaxed); }
  // By a byte that the sets do not hash by.
  base::Guarded<DigestSet>& new_like(const ChunkId& id) { return new_[id.bytes[31] % kShards]; }

  const ChunkIndex& known_;
  std::unique_ptr<std::atomic<bool>[]> needed_;
  std::array<base::Guarded<DigestSet>, kShards> new_;  // of this backup
};

}  // namespace kura::archive
