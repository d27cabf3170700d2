// A bounded number of buffers that are used again and again: the one used last first, since its memory is warm, and so
// that no more are ever filled than are needed at a time.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include "base/raw_buffer.h"

namespace kura::archive {

// Shared by threads.
class BufferPool {
 public:
  explicit BufferPool(std::size_t count) : buffers_(count) {}

  // An empty buffer, with what capacity it has; waits for one. Nothing when stopped.
  std::optional<base::RawBuffer> take(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (!returned_.wait(lock, stop, [&] { return !buffers_.empty(); }) || stop.stop_requested()) return std::nullopt;
    base::RawBuffer buffer = std::move(buffers_.back());
    buffers_.pop_back();
    return buffer;
  }
  // The same without waiting: a fresh one when there is none.
  base::RawBuffer take_or_make() {
    const std::lock_guard lock(mutex_);
    if (buffers_.empty()) return {};
    base::RawBuffer buffer = std::move(buffers_.back());
    buffers_.pop_back();
    return buffer;
  }
  void give_back(base::RawBuffer buffer) {
    buffer.clear();
    {
      const std::lock_guard lock(mutex_);
      buffers_.push_back(std::move(buffer));
    }
    returned_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any returned_;
  std::vector<base::RawBuffer> buffers_;
};

}  // namespace kura::archive
