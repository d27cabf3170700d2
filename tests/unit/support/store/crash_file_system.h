// A disk with a page cache, in memory: what was not synced may be lost, in every way a real disk may lose it.
//
//   CrashFileSystem disk;
//   auto store = create_folder_store("/store", disk);
//   disk.fail_from(disk.operations() + 7, EIO);        // the power goes at the 7th operation from here
//   ... put objects ...
//   std::unique_ptr<CrashFileSystem> after = disk.crash(seed);   // one of the disks that a reboot may find
//
// What survives a crash:
// - Of a file: what File::sync() saw. What came later survives whole, up to some byte, or with zeroes for its end.
// - Of a folder: the names that sync_folder() saw. Later changes of one name survive up to one of them, in their order;
//   different names independently of each other (so a rename may leave the old name, the new one, both or none).
// No symlinks or modes: the real file system is there for those. Shared by threads.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "store/file_system.h"

namespace kura::store {

class CrashFileSystem final : public FileSystem {
 public:
  enum class Operation { kCreate, kWrite, kSync, kRename, kRemove, kMakeFolder, kSyncFolder, kStat, kList, kRead };
  // Asked before the n-th operation (from 0): 0 lets it happen, anything else is the errno it fails with. A write that
  // fails leaves a part of its bytes in the file.
  using Fault = std::function<int(std::size_t n, Operation operation, std::string_view path)>;

  // `seed` decides how much of a failing write gets through.
  explicit CrashFileSystem(std::uint64_t seed = 0);
  ~CrashFileSystem() override;

  void set_fault(Fault fault);
  void fail_only(std::size_t n, int errno_value);
  void fail_from(std::size_t n, int errno_value);  // that one and all after it
  std::size_t operations() const;                  // how many were asked for so far

  // The clock that files get their times from. It moves by a microsecond an operation by itself.
  void advance_clock(std::int64_t nanoseconds);

  // The disk that a machine finds after the power went now; the same seed finds the same. No faults are set on it.
  std::unique_ptr<CrashFileSystem> crash(std::uint64_t seed) const;

  // Behind the store's back: a file's bytes are replaced (the file is made if need be), durably.
  void plant(const std::string& path, base::ByteSpan bytes);
  // All files, with their paths.
  std::vector<std::string> files() const;

  base::Result<std::unique_ptr<File>> create(const std::string& path) override;
  base::Status rename(const std::string& from, const std::string& to) override;
  base::Status remove(const std::string& path) override;
  base::Status make_folder(const std::string& path) override;
  base::Status sync_folder(const std::string& path) override;
  base::Result<Entry> stat(const std::string& path) override;
  base::Result<std::vector<Entry>> list(const std::string& path) override;
  base::Status read_at(const std::string& path, std::uint64_t offset, base::MutableByteSpan out) override;
  base::Result<base::Bytes> read_all(const std::string& path, std::uint64_t limit) override;

 private:
  struct Node;
  class OpenFile;
  using NodePtr = std::shared_ptr<Node>;
  struct Place {
    NodePtr folder;
    std::string name;
  };

  base::Status begin(Operation operation, std::string_view what, const std::string& path) KURA_REQUIRES(mutex_);
  base::Result<Place> place_of(const std::string& path) const KURA_REQUIRES(mutex_);
  // nullptr when there is none
  NodePtr node_at(const std::string& path) const KURA_REQUIRES(mutex_);
  base::Result<NodePtr> file_at(const std::string& path) const KURA_REQUIRES(mutex_);
  base::Status write(Node& node, const std::string& path, base::ByteSpan bytes);
  base::Status sync(Node& node, const std::string& path);
  base::Status set_modified(Node& node, std::int64_t time);
  static NodePtr after_crash(const Node& node, std::mt19937_64& random);

  mutable base::Mutex mutex_;
  NodePtr root_ KURA_GUARDED_BY(mutex_);  // and all nodes below it
  Fault fault_ KURA_GUARDED_BY(mutex_);
  std::size_t operations_ KURA_GUARDED_BY(mutex_) = 0;
  std::int64_t clock_ KURA_GUARDED_BY(mutex_) = 1'700'000'000'000'000'000;
  std::mt19937_64 random_ KURA_GUARDED_BY(mutex_);
};

}  // namespace kura::store
