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

// From now on this signal does what it does by default, unless it is ignored.
void end_by(int signal_number) {
  struct sigaction action{};
  sigaction(signal_number, nullptr, &action);
  if (action.sa_handler == SIG_IGN) return;
  action.sa_handler = SIG_DFL;
  sigaction(signal_number, &action, nullptr);
}

// Runs inside the handler: only async-signal-safe calls (signal-safety(7)).
void on_signal(int signal_number) {
  const int saved_errno = errno;
  if (signal_number != SIGHUP) {  // the next one of a person's ends the process
    for (const int each : {SIGINT, SIGTERM}) end_by(each);
  }
  if (const int fd = event_of_handler.load(); fd >= 0) raise_event(fd);
  errno = saved_errno;
}

void catch_unless_ignored(int signal_number, struct sigaction& old) {
  sigaction(signal_number, nullptr, &old);
  if (old.sa_handler == SIG_IGN) return;
  struct sigaction action{};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  for (const int each : kStopSignals) sigaddset(&action.sa_mask, each);  // one handler at a time
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
  for (std::size_t i = 0; i < kStopSignals.size(); ++i) catch_unless_ignored(kStopSignals[i], old_stop_[i]);
}

SignalStop::~SignalStop() {
  for (std::size_t i = 0; i < kStopSignals.size(); ++i) sigaction(kStopSignals[i], &old_stop_[i], nullptr);
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
