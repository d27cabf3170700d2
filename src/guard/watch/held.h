// A hold on each file of the share, so that contents outlive the name: who writes a file encrypted beside and deletes
// the old one deletes only a name, and the guard is told of that after the fact. A hold is a descriptor that is only a
// place (O_PATH): nobody sees it, no link or time of the file changes, and neither leases nor unmounting elsewhere
// mind. Costs a descriptor and some 1.5 KiB of the kernel's memory a file.
//
// The descriptors are above those that select(2) can wait for, which stay free for libraries that do.
//
// Files are told apart by their inodes. Those that were held or used last stay when there are too many. Shared between
// threads.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <list>
#include <map>

#include "base/mutex.h"
#include "base/unique_fd.h"

namespace kura::guard {

class HeldFiles {
 public:
  // `root`: of a mount of the share that nobody watches; to be open as long as this is.
  HeldFiles(int root, std::size_t most) : root_(root), most_(most) {}

  // The file that `fd` has open, by whatever mount, unless it is empty.
  void hold(int fd);
  // Takes a hold (O_PATH) that was made by the mount that nobody watches.
  void adopt(base::UniqueFd place);
  // The file, open for reading, when it has no name any more; else nothing. It is held no longer then.
  base::UniqueFd take_gone(std::uint64_t inode);
  // Looks at the next `count` holds, and lets those go that have had no name for a minute: nobody told of their end.
  void let_go(std::size_t count);
  std::size_t size();

  // How many files this process can hold, having asked the kernel for as many descriptors as it gives.
  static std::size_t most_possible(std::size_t wanted);

 private:
  using Clock = std::chrono::steady_clock;
  struct Held {
    base::UniqueFd place;
    std::list<std::uint64_t>::iterator order;
    Clock::time_point gone{};  // when it was seen first without a name
  };
  bool touch(std::uint64_t inode) KURA_EXCLUDES(mutex_);

  const int root_;
  const std::size_t most_;
  base::Mutex mutex_;
  std::map<std::uint64_t, Held> held_ KURA_GUARDED_BY(mutex_);  // by inode
  std::list<std::uint64_t> order_ KURA_GUARDED_BY(mutex_);      // the one used longest ago first
  std::uint64_t next_looked_at_ KURA_GUARDED_BY(mutex_) = 0;
};

}  // namespace kura::guard
