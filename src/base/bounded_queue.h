// The belt between two stages of a pipeline: holds at most `capacity` items, so a slow stage slows the one before it
// instead of filling memory.
//
//   producer: while (...) if (!queue.push(item)) return;     // false: nobody wants it any more
//             queue.close();
//   consumer: while (auto item = queue.pop()) use(*item);
//
// Any number of threads may push, pop and close.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "base/mutex.h"

namespace kura::base {

template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t capacity) : capacity_(capacity > 0 ? capacity : 1) {}

  // Waits for room. False, and the item is dropped, when the queue is closed.
  [[nodiscard]] bool push(T item) KURA_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      while (!closed_ && items_.size() >= capacity_) has_room_.wait(mutex_);
      if (closed_) return false;
      items_.push_back(std::move(item));
    }
    has_items_.notify_one();
    return true;
  }

  // Waits for an item. nullopt when the queue is closed and what was in it has been taken.
  [[nodiscard]] std::optional<T> pop() KURA_EXCLUDES(mutex_) {
    std::optional<T> item;
    {
      MutexLock lock(mutex_);
      while (!closed_ && items_.empty()) has_items_.wait(mutex_);
      if (items_.empty()) return std::nullopt;
      item.emplace(std::move(items_.front()));
      items_.pop_front();
    }
    has_room_.notify_one();
    return item;
  }

  // No more pushes; waiting ones give up. What is inside can still be popped. May be called again.
  void close() KURA_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
      closed_ = true;
    }
    has_items_.notify_all();
    has_room_.notify_all();
  }

  // close(), and what is inside is dropped: for ending after a failure.
  void cancel() KURA_EXCLUDES(mutex_) {
    std::deque<T> dropped;  // destroyed without the lock
    {
      MutexLock lock(mutex_);
      closed_ = true;
      dropped.swap(items_);
    }
    has_items_.notify_all();
    has_room_.notify_all();
  }

  std::size_t size() const KURA_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return items_.size();
  }

 private:
  const std::size_t capacity_;
  mutable Mutex mutex_;
  CondVar has_items_;
  CondVar has_room_;
  std::deque<T> items_ KURA_GUARDED_BY(mutex_);
  bool closed_ KURA_GUARDED_BY(mutex_) = false;
};

}  // namespace kura::base
