// Ctrl-C, `kill` and a closed terminal as a stop token.
#pragma once

#include <signal.h>

#include <array>
#include <atomic>
#include <stop_token>
#include <thread>

#include "base/unique_fd.h"

namespace kura::base {

inline constexpr std::array<int, 3> kStopSignals{SIGINT, SIGTERM, SIGHUP};

// While it lives, the first SIGINT, SIGTERM or SIGHUP requests a stop. After a SIGINT or SIGTERM the next of these two
// ends the process at once as the signal does by default. A SIGHUP never does: when a terminal closes, the kernel, the
// shell and the session's manager each send one. SIGPIPE is ignored, so that a closed pipe is an error of write(2).
// Signals that were ignored before (a shell's background job, nohup) stay ignored. Made once in main, before other
// threads; they need no special care, but for blocking calls that may return EINTR. Callbacks on the token run on a
// thread of this object.
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
  std::array<struct sigaction, kStopSignals.size()> old_stop_{};
  struct sigaction old_pipe_{};
  std::thread waiter_;
};

}  // namespace kura::base
