// What the snapshots' files are read with: the chunk index and the pack reader for the indexes that a snapshot names.
// Loaded when something of the snapshot is first opened, and shared by snapshots as far as one's indexes are among
// another's.
//
// Memory: an index takes at most 12 bytes a chunk, or 64 MiB, where its tables can be kept; the last few volumes are
// kept, older ones as long as a file of theirs is open. Thread-safe.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <set>

#include "archive/repo/pack_reader.h"
#include "base/guarded.h"
#include "mount/store_watch.h"

namespace kura::mount {

struct Volume {
  Volume(const archive::Repository& repository, archive::ChunkIndex index_in, std::size_t cache_bytes)
      : index(std::move(index_in)), reader(repository, index, cache_bytes) {}

  const archive::ChunkIndex index;
  archive::PackReader reader;
};
using VolumePtr = std::shared_ptr<Volume>;

class Volumes {
 public:
  // All outlive it and the volumes.
  Volumes(const archive::Repository& repository, StoreWatch& watch, Troubles& troubles)
      : repository_(repository), watch_(watch), troubles_(troubles) {}

  // Damaged indexes are told as troubles, and made again from the packs. What is loaded already does not wait for
  // another one's loading.
  base::Result<VolumePtr> of(const archive::StoredSnapshot& snapshot);

 private:
  using IndexIds = std::set<store::ObjectId>;
  struct Kept {
    IndexIds indexes;
    VolumePtr volume;
  };

  VolumePtr known(const IndexIds& wanted);
  base::Result<VolumePtr> load(const archive::StoredSnapshot& snapshot, const IndexIds& wanted);

  const archive::Repository& repository_;
  StoreWatch& watch_;
  Troubles& troubles_;
  std::mutex loading_;                    // held while one is loaded
  base::Guarded<std::deque<Kept>> kept_;  // used last first
};

}  // namespace kura::mount
