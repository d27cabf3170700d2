// Folders held open by descriptors, so that no path longer than a name is ever given to the system: trees deeper than
// PATH_MAX work, and nobody can put a link in between.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <memory>

#include "base/unique_fd.h"

namespace kura::archive {

// Closed when the last one who works in it lets go.
using OpenFolder = std::shared_ptr<const base::UniqueFd>;

// Null, and errno, when it cannot be opened or is no folder (any more). `for_names` false: good for what is in it by
// name only, which needs no right to list it.
inline OpenFolder open_folder(int parent, const char* name, bool for_names) {
  const int access = for_names ? O_RDONLY : O_PATH;
  const int fd = ::openat(parent, name, access | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  return fd < 0 ? nullptr : std::make_shared<const base::UniqueFd>(fd);
}

inline bool is_same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

}  // namespace kura::archive
