// All snapshots of a repository as a read-only file system (catalog.h has its layout), by FUSE.
//
//   check_mount_point(folder, false)             // before asking for a passphrase
//   run_mount(repository, {.folder = folder}, events, stop)
#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>
#include <string>

#include "archive/repo/repository.h"
#include "base/error.h"
#include "mount/mount_point.h"

namespace kura::mount {

struct MountOptions {
  std::string folder;        // passes check_mount_point()
  bool allow_other = false;  // other users see it too, as far as the files' modes let them
};

struct MountEvents {
  std::function<void(std::size_t snapshots)> mounted;
  // What could not be read; each cause once. `path` is below the mount point or empty. Called by any thread.
  std::function<void(const std::string& path, const base::Error& error)> trouble;
};

struct MountSummary {
  bool met_damage = false;  // in the repository
};

// Serves until somebody unmounts it or `stop` is requested; then it is unmounted, also while files are open: their
// readers get errors from then on. Needs the recovery key. Memory: the caches and the inode table are bounded (about
// 150 MiB), and there are the chunk indexes of up to four groups of snapshots (volume.h) and the folders that were
// visited. While it runs, SIGUSR1 is its own: once a process, on one thread.
//
// Should a store never answer (a dead network file system), stopping waits 10 seconds for it and then ends the process
// after unmounting.
base::Result<MountSummary> run_mount(const archive::Repository& repository, const MountOptions& options,
                                     const MountEvents& events, std::stop_token stop);

}  // namespace kura::mount
