// What the snapshots' files are read with: the chunk index and the pack reader for the indexes that a snapshot names.
// Loaded when something of the snapshot is first opened, and shared by snapshots as far as one's indexes are among
// another's. Who looks into many snapshots, of which each has its own indexes, gets one volume of all indexes.
//
// Memory: an index takes at most 12 bytes a chunk, or 64 MiB, where its tables can be kept; up to four volumes are
// kept, or that one, and others as long as a file of theirs is open. Frames that many small chunks share are kept
// opened, 16 MiB of them for all volumes. Thread-safe.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <unordered_set>

#include "archive/repo/pack_reader.h"
#include "base/guarded.h"
#include "mount/store_watch.h"

namespace kura::mount {

struct Volume {
  Volume(const archive::Repository& repository, archive::ChunkIndex index_in,
         std::shared_ptr<archive::FrameCache> frames)
      : index(std::move(index_in)), reader(repository, index, std::move(frames)) {}

  const archive::ChunkIndex index;
  archive::PackReader reader;
};
using VolumePtr = std::shared_ptr<Volume>;

class Volumes {
 public:
  // All outlive it and the volumes.
  Volumes(const archive::Repository& repository, StoreWatch& watch, Troubles& troubles);

  // Damaged indexes are told as troubles, and made again from the packs. What is loaded already does not wait for
  // another one's loading.
  base::Result<VolumePtr> of(const archive::StoredSnapshot& snapshot);

 private:
  using IndexIds = std::set<store::ObjectId>;
  struct Kept {
    IndexIds indexes;
    VolumePtr volume;
    std::unordered_set<store::ObjectId, base::DigestHash> snapshots;  // that were found to be read with it
  };

  VolumePtr known(const store::ObjectId& snapshot);
  VolumePtr known(const store::ObjectId& snapshot, const IndexIds& wanted);
  base::Result<VolumePtr> load(const archive::StoredSnapshot& snapshot, const IndexIds& wanted);
  VolumePtr load_all(const store::ObjectId& snapshot, const IndexIds& wanted);

  const archive::Repository& repository_;
  StoreWatch& watch_;
  Troubles& troubles_;
  const std::shared_ptr<archive::FrameCache> frames_;
  std::mutex loading_;                    // held while one is loaded
  base::Guarded<std::deque<Kept>> kept_;  // used last first
};

}  // namespace kura::mount
