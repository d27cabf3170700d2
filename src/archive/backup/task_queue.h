// What the threads of a backup have to do: batches of files to read and, before them, frames that another thread would
// rather not compress itself.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>
#include <variant>

#include "archive/backup/buffer_pool.h"
#include "archive/backup/frame_builder.h"

namespace kura::archive {

struct Batch;

// Shared by threads. A waiting push() or next() ends when the token is stopped.
class TaskQueue {
 public:
  using Task = std::variant<Batch*, RawFrame>;

  // `capacity` in files.
  explicit TaskQueue(std::size_t capacity) : capacity_(capacity) {}

  // Waits while there is too much; one batch always fits. False when stopped.
  bool push(Batch* batch, std::size_t files, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    const auto fits = [&] { return batches_.empty() || files_ + files <= capacity_; };
    if (!room_.wait(lock, stop, fits) || stop.stop_requested()) return false;
    batches_.emplace_back(batch, files);
    files_ += files;
    lock.unlock();
    filled_.notify_one();
    return true;
  }

  // Whether a thread has nothing to do. A large file so keeps all busy, while many small ones cost no hand-over.
  bool wants_frame() {
    const std::lock_guard lock(mutex_);
    return idle_ > frames_.size();
  }
  // By a thread that saw that one is idle, and so never waits.
  void push(RawFrame frame) {
    {
      const std::lock_guard lock(mutex_);
      frames_.push_back(std::move(frame));
    }
    filled_.notify_one();
  }
  // Memory for such frames.
  BufferPool& memory() { return memory_; }

  // The next task of a thread, which has finished the one before. Nothing when stopped, or when the queue is closed and
  // nobody can come with a frame any more.
  std::optional<Task> next(bool had_one, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (had_one) --busy_;
    ++idle_;
    const auto is_over = [&] { return closed_ && busy_ == 0; };
    const bool woken = filled_.wait(lock, stop, [&] { return !frames_.empty() || !batches_.empty() || is_over(); });
    --idle_;
    if (!woken || stop.stop_requested()) return std::nullopt;
    std::optional<Task> task;
    if (!frames_.empty()) {
      task.emplace(std::move(frames_.front()));
      frames_.pop_front();
    } else if (!batches_.empty()) {
      const auto [batch, files] = batches_.front();
      batches_.pop_front();
      files_ -= files;
      task.emplace(batch);
    }
    if (task) ++busy_;
    const bool all_woken = !task;
    lock.unlock();
    if (all_woken) {
      filled_.notify_all();
    } else {
      room_.notify_one();
    }
    return task;
  }

  // No more batches are coming.
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
  std::deque<std::pair<Batch*, std::size_t>> batches_;  // with the number of files in each
  std::deque<RawFrame> frames_;
  BufferPool memory_{0};             // what came back
  std::size_t files_ = 0;            // in batches_
  std::size_t idle_ = 0, busy_ = 0;  // threads
  bool closed_ = false;
};

}  // namespace kura::archive
