// The watchdog's process: runs the guard as a child, and ends it when a thread of it does not answer in time. While the
// child holds opens back, nobody gets to his files; when it dies, the kernel lets everything through by itself. It is
// then started anew, which tells of it and looks at everything.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"
#include "guard/settings.h"

namespace kura::guard {

struct Patience {
  std::chrono::milliseconds opens{2000};   // for the handler of opens
  std::chrono::milliseconds names{15000};  // for the reader of names, on whom nobody waits
};

// `words`: how this program was called; the child gets "--under-watch FD" in addition.
base::Status supervise(const std::vector<std::string>& words, const OnEvent& on_event, const Patience& patience,
                       const std::stop_token& stop);

// In the child: the memory that is shared with the watchdog, which must not outlive it.
base::Result<Heartbeat*> heartbeat_under_watch(int fd);

}  // namespace kura::guard
