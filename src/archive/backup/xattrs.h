// Extended attributes of the source: ACLs, capabilities, labels and the users' own.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace kura::archive {

using Xattrs = std::vector<std::pair<std::string, std::string>>;  // sorted by name

// user.*, security.*, trusted.* (which only root is shown) and the POSIX ACLs; what a file system makes up itself
// (system.nfs4_acl, btrfs.*) cannot be restored and is left out. Nothing where there are no attributes.
base::Result<Xattrs> read_xattrs(int fd);
// The same of `name` in the folder `parent`, not followed when it is a link: for what cannot be opened. Goes through
// /proc, since there is no lgetxattrat() yet.
base::Result<Xattrs> read_xattrs_at(int parent, const char* name);
// The same of a folder that may be open for its names only (O_PATH).
base::Result<Xattrs> read_folder_xattrs(int fd);

}  // namespace kura::archive
