// What stat(2) says of an entry.
#pragma once

#include <sys/stat.h>

#include "mount/inode_table.h"

namespace kura::mount {

// The inode number is made of the node's key: the same whenever the repository is mounted. A file of several names has
// 2 links, for "several": how many there are is not stored.
struct stat attributes_of(const NodeFacts& node);

// The key of `entry` of the folder `parent`, which lies in `snapshot` or is its own folder (null: above them). The
// names of a hard-linked file of a snapshot have one key; a link above the snapshots that leads somewhere else has
// another.
NodeKey key_of(const NodeFacts& parent, const SnapshotPtr& snapshot, const archive::Entry& entry);

}  // namespace kura::mount
