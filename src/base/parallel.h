// The same work for each of many items, on a given number of threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"

namespace kura::base {

// As many as `wanted`, or one a core when it is 0.
inline unsigned thread_count(unsigned wanted) {
  return wanted != 0 ? wanted : std::clamp(std::thread::hardware_concurrency(), 1U, 16U);
}

// Calls work(i) for each i below `count`. The first error is the answer; work that has not begun is then left out.
inline Status each_on_threads(std::size_t count, unsigned threads, const std::function<Status(std::size_t)>& work) {
  std::atomic<std::size_t> next{0};
  std::mutex mutex;  // guards failure
  std::optional<Error> failure;
  const auto run = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      Status status = work(i);
      if (status) continue;
      next = count;
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::move(status).error();
    }
  };
  {
    std::vector<std::jthread> helpers;  // joined by their destructors
    for (std::size_t i = 1; i < std::min<std::size_t>(threads, count); ++i) helpers.emplace_back(run);
    run();
  }
  if (failure) return fail(*std::move(failure));
  return {};
}

}  // namespace kura::base
