// Open descriptors of files that were opened lately, so that contents outlive the name: who reads a file, writes it
// encrypted beside and deletes it, deletes only a name. Costs a descriptor a file, for a minute, and no copy.
//
// Shared between threads.
#pragma once

#include <chrono>
#include <list>
#include <string>
#include <unordered_map>

#include "base/mutex.h"
#include "base/unique_fd.h"

namespace kura::guard {

class HeldFiles {
 public:
  explicit HeldFiles(std::size_t most) : most_(most) {}

  void hold(std::string path, base::UniqueFd fd);
  // The file that has this name no more; nothing when it was not opened lately, or is still there by another name.
  base::UniqueFd take_gone(const std::string& path);
  void drop_old();

  static constexpr std::chrono::seconds kFor{60};

 private:
  using Clock = std::chrono::steady_clock;
  struct Held {
    std::string path;
    base::UniqueFd fd;
    Clock::time_point since;
  };
  void forget(std::list<Held>::iterator held, std::list<Held>& into) KURA_REQUIRES(mutex_);

  const std::size_t most_;
  base::Mutex mutex_;
  std::list<Held> order_ KURA_GUARDED_BY(mutex_);  // the oldest first
  std::unordered_multimap<std::string, std::list<Held>::iterator> by_path_ KURA_GUARDED_BY(mutex_);
};

}  // namespace kura::guard
