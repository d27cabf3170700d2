// Unmounts for a program that could not do it itself: one that was killed, crashed, or got a signal nobody catches.
// Without it the folder would stay behind, dead: "Transport endpoint is not connected" to whoever comes near it.
//
//   const MountGuard guard = KURA_TRY(MountGuard::start(folder));   // before any key is in memory
//   ... mount, serve, unmount ...
#pragma once

#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace kura::mount {

// Ends the mount at `folder` for good, also while files are open; their readers get errors. Safe in a process of many
// threads and between fork and exec. False when it could not.
bool detach_mount(const char* folder);

// A small process of its own that waits for the end of this one. Then, if `folder` is a mount whose program has ended,
// it unmounts it; a mount that still answers is let alone, whosever it is. It has no terminal, takes no signals but
// SIGKILL, and holds no file open. Killing it too leaves the dead mount to a person (docs/mount.md).
//
// Costs a fork; start it while the process is small and holds no secrets, for the guard keeps a copy of its memory.
class MountGuard {
 public:
  // kIo when the system has no more processes or descriptors.
  static base::Result<MountGuard> start(const std::string& folder);
  // The guard ends with it.
  MountGuard(MountGuard&& other) noexcept;
  MountGuard& operator=(MountGuard&&) = delete;
  ~MountGuard();

 private:
  MountGuard(pid_t process, base::UniqueFd life_line) : process_(process), life_line_(std::move(life_line)) {}

  pid_t process_;
  base::UniqueFd life_line_;  // a pipe: its other end sees when it closes, however that comes
};

}  // namespace kura::mount
