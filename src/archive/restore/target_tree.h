// The folders that a restore writes into, reached by descriptors and single names only.
//
// No path is ever given to the system below the target, and no link below it is followed, so whoever may write there
// cannot lead a restore elsewhere; and a path may be longer than the system's limit. Descriptors beyond a few hundred
// are closed and opened again from the target downwards, where each folder must still be the one it was.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <string>

#include "archive/restore/fd_cache.h"
#include "archive/restore/report.h"
#include "archive/restore/target_folder.h"
#include "base/error.h"

namespace kura::archive {

// What is under a name. `there` false: nothing.
struct Existing {
  bool there = false;
  struct stat status{};
};

// fd() and the functions on names may be called by many threads; folders are added by one. Memory: the folders that
// somebody has a share in, and those above them.
class TargetTree {
 public:
  // Makes the target when it is not there. kConflict when another restore is writing into it. `source`: the path in
  // the snapshot that the target stands for, for messages. The others outlive the tree: with them it completes
  // folders; once the report says to stop, without metadata, since something may be missing.
  static base::Result<std::unique_ptr<TargetTree>> open(const std::string& target, const std::string& source,
                                                        bool dry_run, const MetadataWriter& metadata,
                                                        RestoreReport& report);

  FolderRef root() { return FolderRef(&root_); }
  // Completes the target itself: after all others.
  void finish_root();

  // The folder `name` in `parent`; made, mode 0700, when it is not there. What else is there is removed when `replace`
  // (but never a folder's contents), else kExists.
  base::Result<FolderRef> make_folder(const FolderRef& parent, const std::string& name, bool replace);
  // kNotFound when there is no such folder.
  base::Result<FolderRef> find_folder(const FolderRef& parent, const std::string& name);

  // A descriptor (O_PATH) of the folder.
  base::Result<SharedFd> fd(const TargetFolder& folder);
  base::Result<Existing> look(const TargetFolder& folder, const std::string& name);
  // Renames `temporary` to `name` over whatever is there, but for a folder that is not empty: kExists.
  base::Status put_in_place(const TargetFolder& folder, const std::string& temporary, const std::string& name);

  // For messages: where it is written, and its path in the snapshot.
  std::string target_path(const TargetFolder& folder, const std::string& name) const;
  std::string source_path(const TargetFolder& folder, const std::string& name) const;
  base::Error error(std::string_view action, const TargetFolder& folder, const std::string& name,
                    int errno_value) const;

  // A name in the same folder that stands for `name` while it is incomplete: always the same one, so that what an
  // interrupted run has left is found.
  static std::string temporary_for(const std::string& name);

 private:
  friend class FolderRef;
  TargetTree(std::string target, std::string source, bool dry_run, const MetadataWriter& metadata,
             RestoreReport& report);
  base::Result<FolderRef> adopt(const FolderRef& parent, const std::string& name, bool fresh);
  // One that nobody has a share in any more, and those above of which that becomes true by it.
  void complete(std::unique_ptr<TargetFolder> folder);
  void finish(TargetFolder& folder);
  base::Status apply(const TargetFolder& folder);
  base::Result<SharedFd> open_below(int parent_fd, const TargetFolder& folder);
  std::string path_below(const std::string& start, const TargetFolder& folder, const std::string& name) const;

  const std::string target_;
  const std::string source_;
  const bool dry_run_;
  const MetadataWriter& metadata_;
  RestoreReport& report_;
  SharedFd root_fd_;   // held throughout, with a lock on it
  TargetFolder root_;  // with a share of the tree's own
  FdCache open_;
};

}  // namespace kura::archive
