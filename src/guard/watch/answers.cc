#include "guard/watch/answers.h"

#include <sys/fanotify.h>
#include <unistd.h>

namespace kura::guard {

void Answers::answer(int fd, bool allow) const {
  const fanotify_response response{.fd = fd, .response = allow ? FAN_ALLOW : static_cast<__u32>(FAN_DENY)};
  // It fails only when the process that waits was killed: then nobody waits.
  [[maybe_unused]] const ssize_t written = ::write(group_, &response, sizeof response);
}

void Answers::wait(int fd, Clock::time_point now) {
  const base::MutexLock lock(mutex_);
  waiting_[fd] = now;
}

bool Answers::end_wait(int fd, bool allow) {
  const base::MutexLock lock(mutex_);
  if (waiting_.erase(fd) == 0) return false;
  answer(fd, allow);
  return true;
}

std::size_t Answers::let_through(Clock::time_point since) {
  const base::MutexLock lock(mutex_);
  return std::erase_if(waiting_, [&](const auto& entry) {
    if (entry.second > since) return false;
    answer(entry.first, true);
    return true;
  });
}

std::size_t Answers::waiting() {
  const base::MutexLock lock(mutex_);
  return waiting_.size();
}

}  // namespace kura::guard
