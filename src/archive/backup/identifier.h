// Tells chunks that are stored already from those that are new.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "archive/backup/compaction.h"
#include "archive/backup/digest_set.h"
#include "archive/backup/use_counter.h"
#include "archive/format/pack.h"
#include "archive/repo/chunk_index.h"
#include "base/guarded.h"

namespace kura::archive {

// Shared by threads.
class Identifier {
 public:
  // `known` has only packs that may be leaned on, and outlives this. What sparse packs hold is taken for new, up to the
  // plan's limit; from then on they are leaned on like the others.
  explicit Identifier(const ChunkIndex& known, CompactionPlan plan = {});

  // True when the caller, and nobody else, has to store the chunk. Marks the pack of a known one as needed. A search in
  // the index.
  bool claim(const ChunkId& id, std::size_t size);
  // For a chunk that was stored by an earlier backup: marks its pack as needed. False when nobody has it, or it should
  // be put again because its pack is sparse.
  bool use(const ChunkId& id);
  // The same for a chunk that cannot be put again: false only when nobody has it.
  bool keep(const ChunkId& id);

  // Whether pack `number` of the known ones holds a chunk that was met and not put again.
  bool needs(std::size_t number) const { return needed_[number].load(std::memory_order_relaxed); }
  // How many bytes of it were, before compression (use_counter.h).
  std::uint64_t used(std::size_t number) const { return uses_.used(number); }

  std::uint64_t bytes_compacted() const { return compacted_; }  // of sparse packs' chunks, before compression
  // Sparse packs that are not needed any more.
  std::size_t packs_compacted() const;

 private:
  static constexpr std::size_t kShards = 64;
  struct Found {
    ChunkPlace place;
    bool sparse = false;
  };
  // Where it is best leaned on. `size` nothing: any.
  std::optional<Found> find(const ChunkId& id, std::optional<std::size_t> size) const;
  PackRole role(std::size_t pack) const { return plan_.roles.empty() ? PackRole::kInUse : plan_.roles[pack]; }
  bool put_again(const ChunkId& id, const ChunkPlace& place);
  bool within_limit(std::size_t size);
  void mark(const ChunkId& id, const ChunkPlace& place) {
    needed_[place.pack].store(true, std::memory_order_relaxed);
    uses_.add(id, place);
  }
  // By a byte that the sets do not hash by.
  base::Guarded<DigestSet>& new_like(const ChunkId& id) { return new_[id.bytes[31] % kShards]; }

  const ChunkIndex& known_;
  const CompactionPlan plan_;
  std::unique_ptr<std::atomic<bool>[]> needed_;
  UseCounter uses_;
  std::atomic<std::uint64_t> compacted_{0};
  std::atomic<bool> limit_reached_{false};
  std::array<base::Guarded<DigestSet>, kShards> new_;  // of this backup
};

}  // namespace kura::archive
