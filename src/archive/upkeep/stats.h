// Sizes of a repository, as far as the keys at hand tell.
#pragma once

#include <cstdint>
#include <optional>

#include "archive/repo/repository.h"

namespace kura::archive {

struct Stats {
  std::uint64_t snapshots = 0, packs = 0, indexes = 0;
  std::uint64_t pack_bytes = 0, index_bytes = 0, snapshot_bytes = 0;
  std::uint64_t parity = 0, parity_bytes = 0;        // shards
  std::uint64_t packs_unused = 0, bytes_unused = 0;  // needed by no snapshot
  std::optional<std::uint64_t> chunks, chunk_bytes;  // needs the catalog key; before compression
  std::optional<std::uint64_t> logical_bytes;        // of all files of all snapshots, from the labels
};

base::Result<Stats> collect_stats(const Repository& repository);

}  // namespace kura::archive
