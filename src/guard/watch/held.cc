#include "guard/watch/held.h"

#include <sys/stat.h>

namespace kura::guard {

namespace {

bool same_file(int one, int other) {
  struct stat first{};
  struct stat second{};
  return ::fstat(one, &first) == 0 && ::fstat(other, &second) == 0 && first.st_ino == second.st_ino;
}

}  // namespace

void HeldFiles::forget(std::list<Held>::iterator held, std::list<Held>& into) {
  auto [from, to] = by_path_.equal_range(held->path);
  for (; from != to; ++from) {
    if (from->second == held) {
      by_path_.erase(from);
      break;
    }
  }
  into.splice(into.end(), order_, held);
}

void HeldFiles::hold(std::string path, base::UniqueFd fd) {
  std::list<Held> dropped;  // closed without the lock
  const base::MutexLock lock(mutex_);
  const auto [from, to] = by_path_.equal_range(path);
  for (auto known = from; known != to; ++known) {
    if (!same_file(known->second->fd.get(), fd.get())) continue;
    known->second->since = Clock::now();
    order_.splice(order_.end(), order_, known->second);
    return;
  }
  order_.push_back({path, std::move(fd), Clock::now()});
  by_path_.emplace(std::move(path), std::prev(order_.end()));
  if (order_.size() > most_) forget(order_.begin(), dropped);
}

base::UniqueFd HeldFiles::take_gone(const std::string& path) {
  std::list<Held> taken;
  const base::MutexLock lock(mutex_);
  const auto [from, to] = by_path_.equal_range(path);
  for (auto known = from; known != to; ++known) {
    struct stat facts{};
    if (::fstat(known->second->fd.get(), &facts) != 0 || facts.st_nlink > 0) continue;
    const auto held = known->second;
    forget(held, taken);
    return std::move(taken.back().fd);
  }
  return {};
}

void HeldFiles::drop_old() {
  std::list<Held> dropped;
  const base::MutexLock lock(mutex_);
  const auto end = Clock::now() - kFor;
  while (!order_.empty() && order_.front().since < end) forget(order_.begin(), dropped);
}

}  // namespace kura::guard
