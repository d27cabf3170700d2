// Open descriptors of things that can be opened again by name, of which there may be more than a process can hold.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/unique_fd.h"

namespace kura::archive {

using SharedFd = std::shared_ptr<const base::UniqueFd>;

// Keeps those that were used last; one that was dropped closes when its last user is done. Shared by threads.
class FdCache {
 public:
  explicit FdCache(std::size_t limit) : limit_(limit) {}

  // Null when it is not there.
  SharedFd find(const void* key) {
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    return found->second->second;
  }

  void insert(const void* key, SharedFd fd) {
    SharedFd dropped;  // closed without the lock
    const std::lock_guard lock(mutex_);
    if (by_key_.contains(key)) return;
    by_use_.emplace_front(key, std::move(fd));
    by_key_.emplace(key, by_use_.begin());
    if (by_use_.size() <= limit_) return;
    dropped = std::move(by_use_.back().second);
    by_key_.erase(by_use_.back().first);
    by_use_.pop_back();
  }

  void erase(const void* key) {
    SharedFd dropped;
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return;
    dropped = std::move(found->second->second);
    by_use_.erase(found->second);
    by_key_.erase(found);
  }

 private:
  using Item = std::pair<const void*, SharedFd>;
  const std::size_t limit_;
  std::mutex mutex_;        // guards what follows
  std::list<Item> by_use_;  // used last first
  std::unordered_map<const void*, std::list<Item>::iterator> by_key_;
};

}  // namespace kura::archive
