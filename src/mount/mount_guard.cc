#include "mount/mount_guard.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <utility>

namespace kura::mount {
namespace {

using base::Error;
using base::Result;

// What follows runs between fork and exec in a process that had several threads: only calls that are safe in a signal
// handler (signal-safety(7)), so nothing is allocated.

int wait_for(pid_t process) {
  int status = 0;
  while (::waitpid(process, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return status;
}

// Whether the mount at `folder` has lost its program. Opening asks the program, whatever the kernel still remembers.
bool is_dead(const char* folder) {
  const int fd = ::open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) ::close(fd);
  // The question was asked already when the program went (ECONNABORTED), or could not be asked any more.
  return fd < 0 && (errno == ENOTCONN || errno == ECONNABORTED);
}

[[noreturn]] void guard(const char* folder, int life_line) {
  ::setsid();
  ::prctl(PR_SET_NAME, "kura-unmount");
  // No descriptor of the program stays open here: somebody may wait for the end of its output.
  if (::dup2(life_line, 0) < 0 || ::close_range(1, UINT_MAX, 0) != 0) ::_exit(1);
  char done = 0;
  ssize_t got = 0;
  while ((got = ::read(0, &done, 1)) < 0 && errno == EINTR) {
  }
  if (got > 0 || !is_dead(folder)) ::_exit(0);
  ::_exit(detach_mount(folder) ? 0 : 1);
}

// Everything, for the calling thread, until it goes: a signal to the whole group must not end a guard that is not yet
// on its own.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    ::pthread_sigmask(SIG_BLOCK, &all, &before_);
  }
  ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

bool detach_mount(const char* folder) {
  if (::umount2(folder, MNT_DETACH) == 0) return true;
  if (errno != EPERM) return false;
  const pid_t helper = ::fork();  // fusermount3 may do it for an ordinary user
  if (helper < 0) return false;
  if (helper == 0) {
    ::execlp("fusermount3", "fusermount3", "-uz", "--", folder, nullptr);
    ::_exit(127);
  }
  return wait_for(helper) == 0;
}

Result<MountGuard> MountGuard::start(const std::string& folder) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return base::fail(Error::from_errno("cannot watch over the mount", errno));
  const base::UniqueFd watched(ends[0]);
  base::UniqueFd held(ends[1]);
  const SignalsBlocked whole;
  const pid_t process = ::fork();
  if (process < 0) return base::fail(Error::from_errno("cannot watch over the mount", errno));
  if (process == 0) guard(folder.c_str(), watched.get());
  return MountGuard(process, std::move(held));
}

MountGuard::MountGuard(MountGuard&& other) noexcept
    : process_(std::exchange(other.process_, -1)), life_line_(std::move(other.life_line_)) {}

MountGuard::~MountGuard() {
  if (process_ < 0) return;
  // Unmounted already: it need not look. That it was killed before is no matter (SIGPIPE is ignored by then).
  const char done = 1;
  [[maybe_unused]] const ssize_t written = ::write(life_line_.get(), &done, 1);
  life_line_.reset();
  wait_for(process_);
}

}  // namespace kura::mount
