// How long work reports what it has done: counters that workers raise, and a person's view that polls them.
//
// The work owns the Progress of its caller for its length; the caller polls snapshot() from another thread (a terminal
// line, JSON). All functions may be called from any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace kura::base {

struct Progress {
  std::atomic<std::uint64_t> files_done{0};
  std::atomic<std::uint64_t> files_total{0};  // 0: not known yet
  std::atomic<std::uint64_t> bytes_done{0};
  std::atomic<std::uint64_t> bytes_total{0};  // 0: not known yet
  std::atomic<std::uint64_t> bytes_stored{0};
  std::atomic<std::uint64_t> problems{0};
};

}  // namespace kura::base
