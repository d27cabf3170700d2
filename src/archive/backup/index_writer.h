// Lists packs in index objects, and remembers which of them the snapshot needs.
#pragma once

#include <vector>

#include "archive/format/index.h"
#include "archive/format/snapshot.h"
#include "archive/repo/repository.h"

namespace kura::archive {

// An index object in the store, with what the snapshot needs of it.
struct WrittenIndex {
  NeededPacks needs;
  std::vector<store::ObjectId> packs;  // the needed ones
};

// Not shared between threads. Memory: the records of the packs that are not in an index object yet.
class IndexWriter {
 public:
  static constexpr std::size_t kChunks = 200'000;  // of an index object, about: 7 MiB

  // `repository` outlives it.
  explicit IndexWriter(const Repository& repository) : repository_(repository) {}

  // Writes an index object when enough packs have come together: after the packs are durable.
  base::Status add(IndexedPack pack, bool needed);
  // Writes the rest. Returns all index objects; they are durable after the next Store::sync().
  base::Result<std::vector<WrittenIndex>> finish();

  std::uint64_t bytes_written() const { return bytes_; }

 private:
  base::Status write();

  const Repository& repository_;
  Index pending_;
  WrittenIndex pending_needs_;
  std::size_t chunks_ = 0;  // in pending_
  std::uint64_t bytes_ = 0;
  std::vector<WrittenIndex> written_;
};

}  // namespace kura::archive
