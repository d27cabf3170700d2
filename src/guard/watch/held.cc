#include "guard/watch/held.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace kura::guard {
namespace {

constexpr std::chrono::seconds kNoticed{60};  // within which a deletion is judged, or was lost
constexpr std::size_t kOtherDescriptors = 4096;

// The same file by the mount of `root`.
base::UniqueFd by_mount_of(int root, int fd) {
  constexpr std::size_t kRoom = sizeof(file_handle) + MAX_HANDLE_SZ;
  alignas(file_handle) std::array<char, kRoom> room{};
  auto* const handle = reinterpret_cast<file_handle*>(room.data());
  handle->handle_bytes = MAX_HANDLE_SZ;
  int mount = 0;
  if (::name_to_handle_at(fd, "", handle, &mount, AT_EMPTY_PATH) != 0) return {};
  return base::UniqueFd(::open_by_handle_at(root, handle, O_PATH | O_CLOEXEC));
}

// libnftables and others wait by select(2), which takes no descriptor from FD_SETSIZE on: the ones below are left to
// them.
base::UniqueFd out_of_the_way(base::UniqueFd fd) {
  base::UniqueFd high(::fcntl(fd.get(), F_DUPFD_CLOEXEC, FD_SETSIZE));
  return high ? std::move(high) : std::move(fd);
}

}  // namespace

std::size_t HeldFiles::most_possible(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t asked = std::max<rlim_t>(limit.rlim_cur, wanted + kOtherDescriptors);
  const rlimit more{.rlim_cur = asked, .rlim_max = std::max(asked, limit.rlim_max)};
  if (::setrlimit(RLIMIT_NOFILE, &more) != 0) {
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
  }
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const std::size_t possible = limit.rlim_cur;
  return possible <= kOtherDescriptors ? possible / 4 : std::min(wanted, possible - kOtherDescriptors);
}

bool HeldFiles::touch(std::uint64_t inode) {
  const base::MutexLock lock(mutex_);
  const auto known = held_.find(inode);
  if (known == held_.end()) return false;
  order_.splice(order_.end(), order_, known->second.order);
  return true;
}

void HeldFiles::hold(int fd) {
  struct stat facts{};
  // What is empty has nothing to keep yet.
  if (::fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_size == 0 || touch(facts.st_ino)) return;
  adopt(by_mount_of(root_, fd));
}

void HeldFiles::adopt(base::UniqueFd place) {
  struct stat facts{};
  if (most_ == 0 || !place || ::fstat(place.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return;
  place = out_of_the_way(std::move(place));
  base::UniqueFd dropped;  // closed without the lock
  const base::MutexLock lock(mutex_);
  if (held_.contains(facts.st_ino)) return;
  if (held_.size() >= most_) {
    const auto oldest = held_.find(order_.front());
    dropped = std::move(oldest->second.place);
    held_.erase(oldest);
    order_.pop_front();
  }
  held_.emplace(facts.st_ino, Held{std::move(place), order_.insert(order_.end(), facts.st_ino)});
}

base::UniqueFd HeldFiles::take_gone(std::uint64_t inode) {
  base::UniqueFd place;
  {
    const base::MutexLock lock(mutex_);
    const auto known = held_.find(inode);
    struct stat facts{};
    if (known == held_.end() || ::fstat(known->second.place.get(), &facts) != 0 || facts.st_nlink > 0) return {};
    place = std::move(known->second.place);
    order_.erase(known->second.order);
    held_.erase(known);
  }
  return out_of_the_way(
      base::UniqueFd(::open(fmt::format("/proc/self/fd/{}", place.get()).c_str(), O_RDONLY | O_CLOEXEC | O_NOATIME)));
}

void HeldFiles::let_go(std::size_t count) {
  std::list<base::UniqueFd> dropped;
  const base::MutexLock lock(mutex_);
  auto next = held_.lower_bound(next_looked_at_);
  for (; count > 0 && next != held_.end(); --count) {
    struct stat facts{};
    const bool gone = ::fstat(next->second.place.get(), &facts) == 0 && facts.st_nlink == 0;
    if (gone && next->second.gone == Clock::time_point()) next->second.gone = Clock::now();
    if (gone && Clock::now() - next->second.gone > kNoticed) {
      dropped.push_back(std::move(next->second.place));
      order_.erase(next->second.order);
      next = held_.erase(next);
    } else {
      ++next;
    }
  }
  next_looked_at_ = next == held_.end() ? 0 : next->first;
}

std::size_t HeldFiles::size() {
  const base::MutexLock lock(mutex_);
  return held_.size();
}

}  // namespace kura::guard
