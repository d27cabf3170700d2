// Parity of what a backup stores, made as its packs go by.
//
//   Protection protection(repository);                       // nothing to do where the repository keeps no parity
//   ... protection.add_pack(id, bytes) for each pack that the store has ...
//   ... the snapshot is committed ...
//   protection.finish(small_objects);
//
// It never fails a backup: a group that could not be stored is told by problem(), its packs have no parity, and the
// next garbage collection covers them (maintenance.h), as it does what a crash leaves without.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "archive/parity/group_shape.h"
#include "archive/parity/shard_builder.h"
#include "archive/repo/repository.h"

namespace kura::archive {

// Not shared between threads: its calls come one at a time. Memory: as many times a pack as there are shards.
class Protection {
 public:
  // `repository` outlives it.
  explicit Protection(const Repository& repository);

  // Stores the shards of a group when it is full, on the caller's thread and one more.
  void add_pack(const store::ObjectId& id, std::span<const base::ByteSpan> parts);
  // The rest of the packs, and a group of the small objects that were written, with the config and all keys, which are
  // worth the most and weigh nothing. Durable when it returns.
  void finish(const std::vector<std::pair<store::Kind, store::ObjectId>>& written);

  std::uint64_t bytes_written() const { return bytes_; }
  // The first thing that went wrong.
  const std::optional<base::Error>& problem() const { return problem_; }

 private:
  base::Status close_group();
  base::Status protect_small(std::vector<std::pair<store::Kind, store::ObjectId>> objects);
  void note(base::Status status);

  const Repository& repository_;
  std::optional<GroupShape> packs_;  // nothing: the repository keeps no parity
  std::optional<ShardBuilder> builder_;
  std::uint64_t bytes_ = 0;
  std::optional<base::Error> problem_;
};

}  // namespace kura::archive
