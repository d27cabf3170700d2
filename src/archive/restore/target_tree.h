// The folders that a restore writes into, reached by descriptors and single names only.
//
// No path is ever given to the system below the target, and no link below it is followed, so whoever may write there
// cannot lead a restore elsewhere; and a path may be longer than the system's limit. Descriptors beyond a few hundred
// are closed and opened again from the target downwards, where each folder must still be the one it was.
#pragma once

#include <sys/stat.h>

#include <deque>
#include <optional>
#include <string>

#include "archive/restore/fd_cache.h"
#include "archive/restore/metadata.h"
#include "base/error.h"

namespace kura::archive {

struct TargetFolder {
  const TargetFolder* parent = nullptr;  // null: the target itself
  std::string name;                      // in `parent`
  dev_t device = 0;
  ino_t inode = 0;
  bool fresh = false;                      // made by this run, so nothing of others is in it
  bool absent = false;                     // a dry run would make it
  bool default_acl = false;                // gives ACLs to what is made in it
  std::optional<Metadata> metadata{};      // to be applied last
  std::optional<mode_t> mode_to_return{};  // it was made writable for this run
};

// What is under a name. `there` false: nothing.
struct Existing {
  bool there = false;
  struct stat status{};
};

// fd() and the functions on names may be called by many threads; folders are added by one.
class TargetTree {
 public:
  // Makes the target when it is not there. kConflict when another restore is writing into it. `source`: the path in
  // the snapshot that the target stands for, for messages.
  static base::Result<std::unique_ptr<TargetTree>> open(const std::string& target, const std::string& source,
                                                        bool dry_run);

  TargetFolder& root() { return root_; }

  // The folder `name` in `parent`; made, mode 0700, when it is not there. What else is there is removed when `replace`
  // (but never a folder's contents), else kExists.
  base::Result<TargetFolder*> make_folder(const TargetFolder& parent, const std::string& name, bool replace);
  // kNotFound when there is no such folder.
  base::Result<TargetFolder*> find_folder(const TargetFolder& parent, const std::string& name);
  // Deepest first: metadata, and modes that were changed for the run.
  std::deque<TargetFolder>& folders() { return folders_; }
  base::Status apply(const TargetFolder& folder, const MetadataWriter& writer);

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
  TargetTree(std::string target, std::string source, bool dry_run);
  base::Result<TargetFolder*> adopt(const TargetFolder& parent, const std::string& name, bool fresh);
  base::Result<SharedFd> open_below(int parent_fd, const TargetFolder& folder);
  std::string path_below(const std::string& start, const TargetFolder& folder, const std::string& name) const;

  const std::string target_;
  const std::string source_;
  const bool dry_run_;
  SharedFd root_fd_;  // held throughout, with a lock on it
  TargetFolder root_;
  std::deque<TargetFolder> folders_;
  FdCache open_;
};

}  // namespace kura::archive
