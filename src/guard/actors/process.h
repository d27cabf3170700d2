// What the kernel tells of a process that touches the share.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace kura::guard {

struct Process {
  pid_t pid = 0;
  std::uint64_t started = 0;  // clock ticks since boot: with the pid it names one process for ever
  uid_t user = 0;
  std::string program;  // its file; "" of a thread of the kernel (nfsd)
  std::string unit;     // of systemd, or the last part of its cgroup

  bool is_samba() const;  // one of smbd's
};

// Nothing when it is gone.
std::optional<Process> process_of(pid_t pid);
std::optional<std::uint64_t> start_of(pid_t pid);
// One of smbd's that another one of smbd's has started: for a client.
bool serves_samba_client(pid_t pid);

// The other end of the first connection that the process has at one of these ports of its own; "" when there is none.
// Takes some 50 us.
std::string peer_of(pid_t pid, std::span<const std::uint16_t> ports);

enum class Access : std::uint8_t { kRead, kWrite };
// What the thread, which waits in an open, wants: by the arguments of its system call. kWrite when that is not known.
Access access_of(pid_t thread);

}  // namespace kura::guard
