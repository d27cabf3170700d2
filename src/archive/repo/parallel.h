// The same work for each of many small items, on all cores.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace kura::archive {

// Calls work(i) for each i below `count`, from several threads at once, and returns when all are done.
template <typename Work>
void for_each_parallel(std::size_t count, Work work) {
  constexpr std::size_t kWorthAThread = 16;
  const std::size_t cores = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, 16);
  std::atomic<std::size_t> next{0};
  const auto run = [&] {
    for (std::size_t i = next++; i < count; i = next++) work(i);
  };
  std::vector<std::jthread> helpers;  // joined by their destructors
  for (std::size_t i = 1; i < std::min(cores, count / kWorthAThread); ++i) helpers.emplace_back(run);
  run();
}

}  // namespace kura::archive
