// What a process that reads the bytes of others gives up before it does: everything but computing.
#pragma once

#include "base/error.h"

namespace kura::detect {

// Of this process, for good: no file, socket, process or thread can be made, no memory be made executable, no other
// process be signalled; what is open can be read, messages with open files be received, memory be had up to
// kMostMemory. Any other system call ends the process (SIGSYS); opening a file fails. seccomp(2) by libseccomp,
// setrlimit(2). Under a sanitizer, what that needs is left. An error says that the system cannot do it.
base::Status confine();

inline constexpr std::uint64_t kMostMemory = 1ULL << 30;  // bytes of address space

}  // namespace kura::detect
