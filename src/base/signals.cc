#include "base/signals.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace kura::base {
namespace {

// The one thing a handler can reach. Lock-free, as handlers need.
std::atomic<int> event_of_handler{-1};
static_assert(std::atomic<int>::is_always_lock_free);

// Raises the count of an eventfd; safe in a signal handler.
void raise_event(int fd) {
  const std::uint64_t one = 1;
  while (::write(fd, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

// Runs inside the handler: only async-signal-safe calls (signal-safety(7)).
void on_signal(int) {
  const int saved_errno = errno;
  struct sigaction by_default{};
  by_default.sa_handler = SIG_DFL;
  sigaction(SIGINT, &by_default, nullptr);  // the next one of either kind ends the process
  sigaction(SIGTERM, &by_default, nullptr);
  if (const int fd = event_of_handler.load(); fd >= 0) raise_event(fd);
  errno = saved_errno;
}

void catch_unless_ignored(int signal_number, struct sigaction& old) {
  sigaction(signal_number, nullptr, &old);
  if (old.sa_handler == SIG_IGN) return;
  struct sigaction action{};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigaddset(&action.sa_mask, SIGINT);  // one handler at a time
  sigaddset(&action.sa_mask, SIGTERM);
  sigaction(signal_number, &action, nullptr);
}

}  // namespace

SignalStop::SignalStop() : event_(eventfd(0, EFD_CLOEXEC)) {
  int none = -1;
  if (!event_ || !event_of_handler.compare_exchange_strong(none, event_.get())) {
    std::fputs("cannot watch for signals: no descriptor is free, or they are watched already\n", stderr);
    std::abort();
  }
  waiter_ = std::thread([this] { wait_for_signal(); });
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, &old_pipe_);
  catch_unless_ignored(SIGINT, old_int_);
  catch_unless_ignored(SIGTERM, old_term_);
}

SignalStop::~SignalStop() {
  sigaction(SIGINT, &old_int_, nullptr);
  sigaction(SIGTERM, &old_term_, nullptr);
  sigaction(SIGPIPE, &old_pipe_, nullptr);
  event_of_handler.store(-1);
  ending_.store(true);
  raise_event(event_.get());
  waiter_.join();
}

void SignalStop::wait_for_signal() {
  std::uint64_t count = 0;
  while (::read(event_.get(), &count, sizeof count) < 0 && errno == EINTR) {
  }
  if (!ending_.load()) source_.request_stop();
}

}  // namespace kura::base
