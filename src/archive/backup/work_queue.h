// A bounded queue between the threads of two stages; its bound is in a weight of the caller's choice (bytes, items).
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace kura::archive {

// Shared by threads. A waiting push() or pop() ends when the token is stopped.
template <typename T>
class WorkQueue {
 public:
  explicit WorkQueue(std::size_t capacity) : capacity_(capacity) {}

  // Waits while the queue is full; one item always fits into an empty one. False when stopped: nothing was put.
  bool push(T item, std::size_t weight, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    const auto fits = [&] { return items_.empty() || used_ + weight <= capacity_; };
    if (!room_.wait(lock, stop, fits) || stop.stop_requested()) return false;
    items_.emplace_back(std::move(item), weight);
    used_ += weight;
    lock.unlock();
    filled_.notify_one();
    return true;
  }

  // Nothing when stopped, or when the queue is closed and empty.
  std::optional<T> pop(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    const auto ready = [&] { return closed_ || !items_.empty(); };
    if (!filled_.wait(lock, stop, ready) || stop.stop_requested() || items_.empty()) return std::nullopt;
    auto [item, weight] = std::move(items_.front());
    items_.pop_front();
    used_ -= weight;
    lock.unlock();
    room_.notify_all();  // waiting items differ in weight
    return std::move(item);
  }

  // No more is coming: those who wait in pop() get what is left, then nothing.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    filled_.notify_all();
  }

 private:
  const std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable_any room_, filled_;
  std::deque<std::pair<T, std::size_t>> items_;
  std::size_t used_ = 0;
  bool closed_ = false;
};

}  // namespace kura::archive
