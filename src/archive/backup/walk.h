// Walks the source depth first, in strictly rising order of the names' bytes: the order of the listings and of the file
// cache, and so of everything after it.
#pragma once

#include <sys/stat.h>

#include <functional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "archive/backup/open_folder.h"
#include "archive/backup/walk_plan.h"
#include "base/error.h"

namespace kura::archive {

// All of it is valid during the call it is given to; `parent` and `self` may be kept.
struct WalkEntry {
  const char* name;         // "" for "/"
  const std::string& path;  // absolute
  const struct stat& status;
  const OpenFolder& parent;  // null for "/"
  const OpenFolder& self;    // a folder's own; null for others, and for a folder that cannot be opened
};

// Receives what the walk finds. An error that it returns ends the walk.
class WalkVisitor {
 public:
  virtual ~WalkVisitor() = default;
  virtual base::Status enter(const WalkEntry& folder) = 0;
  virtual base::Status leave() = 0;                        // the folder entered last that was not left
  virtual base::Status entry(const WalkEntry& entry) = 0;  // anything but a folder
  // Something could not be read. A folder that cannot be opened is entered and left all the same.
  virtual void problem(const std::string& path, base::Error error) = 0;
};

struct WalkOptions {
  std::function<bool(const std::string& path, bool is_folder)> excluded;  // not asked for what lies on the way
  bool one_file_system = false;  // other file systems' folders are entered and left: they are mount points
  std::vector<std::pair<dev_t, ino_t>> skipped_folders;  // not shown at all
};

// kInterrupted when stopped. Memory: the names of the folders on the way down. Descriptors: about 32, and those that
// the visitor keeps.
base::Status walk(const WalkPlan& plan, const WalkOptions& options, WalkVisitor& visitor, std::stop_token stop);

}  // namespace kura::archive
