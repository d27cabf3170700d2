// A folder that a restore writes into, for as long as anybody has to do with it.
#pragma once

#include <sys/stat.h>

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "archive/restore/metadata.h"

namespace kura::archive {

class TargetTree;
struct TargetFolder;

// A share in a folder. Who lets go of the last one completes it: nothing will be written into it any more, so its
// metadata are put onto it and it is forgotten, on that thread. Each folder has a share in the one above, which so is
// completed after all that are in it.
//
// Copies may be made and dropped by several threads, one of them not by two at once.
class FolderRef {
 public:
  FolderRef() = default;
  explicit FolderRef(TargetFolder* folder);
  FolderRef(const FolderRef& other) : FolderRef(other.folder_) {}
  FolderRef(FolderRef&& other) noexcept : folder_(std::exchange(other.folder_, nullptr)) {}
  FolderRef& operator=(FolderRef other) noexcept {
    std::swap(folder_, other.folder_);
    return *this;
  }
  ~FolderRef();

  explicit operator bool() const { return folder_ != nullptr; }
  TargetFolder& operator*() const { return *folder_; }
  TargetFolder* operator->() const { return folder_; }
  TargetFolder* get() const { return folder_; }

 private:
  friend class TargetTree;
  TargetFolder* folder_ = nullptr;
};

struct TargetFolder {
  TargetTree* tree = nullptr;
  FolderRef parent;  // none: the target itself
  std::string name;  // in `parent`
  dev_t device = 0;
  ino_t inode = 0;
  bool fresh = false;                      // made by this run, so nothing of others is in it
  bool absent = false;                     // a dry run would make it
  bool default_acl = false;                // gives ACLs to what is made in it
  std::optional<Metadata> metadata{};      // to be applied when it is complete
  std::optional<mode_t> mode_to_return{};  // it was made writable for this run
  std::atomic<std::uint32_t> shares{0};
};

inline FolderRef::FolderRef(TargetFolder* folder) : folder_(folder) {
  if (folder_ != nullptr) folder_->shares.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace kura::archive
