// Ctrl-C and `kill` as a stop token.
#pragma once

#include <signal.h>

#include <atomic>
#include <stop_token>
#include <thread>

#include "base/unique_fd.h"

namespace kura::base {

// While it lives, the first SIGINT or SIGTERM requests a stop, and the second ends the process at once as the signal
// does by default; SIGPIPE is ignored, so that a closed pipe is an error of write(2). Signals that were ignored before
// (a shell's background job) stay ignored. Made once in main, before other threads; they need no special care, but
// for blocking calls that may return EINTR. Callbacks on the token run on a thread of this object.
class SignalStop {
 public:
  SignalStop();   // ends the program when there is one already or the system has no descriptor left
  ~SignalStop();  // puts the earlier actions back
  SignalStop(const SignalStop&) = delete;
  SignalStop& operator=(const SignalStop&) = delete;

  std::stop_token token() const { return source_.get_token(); }

 private:
  void wait_for_signal();

  UniqueFd event_;
  std::stop_source source_;
  std::atomic<bool> ending_{false};
  struct sigaction old_int_{};
  struct sigaction old_term_{};
  struct sigaction old_pipe_{};
  std::thread waiter_;
};

}  // namespace kura::base
