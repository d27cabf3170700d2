// The repository as a file system: which node a name is, what is in a folder, the bytes of a file. It knows nothing of
// FUSE; fuse_operations.cc asks it on the kernel's behalf, from many threads at once.
//
// Failures are told as troubles, each cause once; the caller gets an errno.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/mutex.h"
#include "mount/catalog.h"
#include "mount/chunk_source.h"
#include "mount/inode_table.h"
#include "mount/read_ahead.h"

namespace kura::mount {

// An errno value in place of a message, which has been told by then.
template <typename T>
using Answer = std::expected<T, int>;

// What an open file has.
struct FileHandle {
  NodePtr node;
  OpenedFile file;
  ReadAhead::Stream stream;
};

class FileSystem {
 public:
  // Both outlive it. kNotFound and others when the snapshots cannot be listed.
  static base::Result<std::unique_ptr<FileSystem>> open(const archive::Repository& repository, Troubles& troubles);

  InodeTable& nodes() { return nodes_; }
  std::size_t snapshot_count() { return catalog_.look()->snapshots.size(); }
  // Loads what is needed to read the snapshot received last, so that the first look into it need not wait.
  void warm_up();

  // A node that the kernel counts once more. ENOENT.
  Answer<NodePtr> look_up(const NodePtr& folder, std::string_view name);

  // A pass through a folder's entries, in the order of their names. Used by one thread at a time.
  class Listing {
   public:
    // The entry that comes next, or null at the end; the same again until take() is called.
    Answer<const NodeFacts*> next();
    void take();
    // Number of the entry that next() gives, from 0.
    std::uint64_t number() const { return number_; }
    // Goes to another one.
    Answer<void> go_to(std::uint64_t number);
    const Node& folder() const { return *folder_; }
    base::Mutex& mutex() { return mutex_; }

   private:
    friend class FileSystem;
    Listing(FileSystem& system, NodePtr folder) : system_(system), folder_(std::move(folder)) {}

    FileSystem& system_;
    const NodePtr folder_;
    base::Mutex mutex_;  // for the caller
    std::uint64_t number_ = 0;
    std::optional<NodeFacts> held_;
    std::optional<archive::ListingReader> reader_;  // in a snapshot
    std::shared_ptr<const CatalogView> view_;       // above them
    const CatalogView::Items* items_ = nullptr;
  };
  Answer<std::unique_ptr<Listing>> list(const NodePtr& folder);

  Answer<std::unique_ptr<FileHandle>> open_file(const NodePtr& node);
  // The chunks that a read needs, held by `texts`, and in `parts` what of them is wanted, in order.
  struct Bytes {
    std::vector<ChunkSource::Text> texts;
    std::vector<base::ByteSpan> parts;
  };
  Answer<Bytes> read(FileHandle& handle, std::uint64_t offset, std::size_t size);

 private:
  FileSystem(const archive::Repository& repository, Troubles& troubles);

  Answer<NodePtr> look_up_in_snapshot(const NodePtr& folder, std::string_view name);
  base::Result<std::shared_ptr<Folder>> folder_of(Node& node, const VolumePtr& volume);
  base::Result<std::shared_ptr<const FileTable>> table_of(Node& node, Volume& volume);
  Folder::Fetch fetch_from(VolumePtr volume);
  // What reads the store past chunks_, where it does: the lists of a large file's or folder's chunks.
  template <typename Read>
  std::invoke_result_t<Read> watched(const archive::Entry& entry, Read read);
  int trouble(const Node& node, const base::Error& error);

  Troubles& troubles_;
  StoreWatch watch_;
  Catalog catalog_;
  Volumes volumes_;
  ChunkSource chunks_;
  InodeTable nodes_;
  ReadAhead ahead_;  // last: its threads use what is above
};

}  // namespace kura::mount
