// Opens that wait for an answer. Each is answered once; the ones that wait for too long are let through by whoever
// notices it first, so that a slow disk or a fault of the guard never keeps anybody from his files.
//
// Shared between threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "base/mutex.h"

namespace kura::guard {

class Answers {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Answers(int group) : group_(group) {}

  // At once.
  void answer(int fd, bool allow) const;
  // An open that will be answered later; `fd` stays open until then.
  void wait(int fd, Clock::time_point now);
  // False when somebody was quicker. To be called before `fd` is closed.
  bool end_wait(int fd, bool allow);
  // Lets through what waits since before `since`; how many there were.
  std::size_t let_through(Clock::time_point since);
  std::size_t waiting();

 private:
  const int group_;
  base::Mutex mutex_;
  std::unordered_map<int, Clock::time_point> waiting_ KURA_GUARDED_BY(mutex_);
};

}  // namespace kura::guard
