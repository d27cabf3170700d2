// What the walk has found and the assembly has not yet taken, in walk order. Files are read by many threads and become
// ready in any order; the assembly takes what is ready from the front.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

#include "archive/backup/file_cache.h"
#include "archive/format/entry.h"
#include "base/error.h"

namespace kura::archive {

struct Item {
  enum class Kind { kEnter, kLeave, kEntry };
  // The names of one file: the first is read, and the others take its entry over.
  enum class Link { kNone, kFirst, kAgain, kLast };

  Kind kind = Kind::kEntry;
  Link link = Link::kNone;
  Entry entry;
  std::optional<base::Error> problem;
  bool left_out = false;  // it could not be read: it is not in the snapshot

  // Of files.
  std::pair<std::uint64_t, std::uint64_t> inode;  // device, inode, as the walk saw it: of files with several names
  bool known_before = false;                      // the cache had it, in whatever state
  bool unmodified = false;
  std::optional<CachedFile> remembered;  // for the next cache; its content and more are in the entry, too
  ContentRef content_before;             // to tell a touched file from a changed one
  std::uint64_t bytes_read = 0;

 private:
  friend class ItemWindow;
  bool is_ready_ = false;  // guarded by the window's mutex
};

// Shared by one thread that pushes, many that make ready, one that takes.
class ItemWindow {
 public:
  explicit ItemWindow(std::size_t capacity) : capacity_(capacity) {}

  // Waits for room. An item that is not ready stays the caller's to fill, until it says ready(). Null when stopped.
  Item* push(std::unique_ptr<Item> item, bool is_ready, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    if (!room_.wait(lock, stop, [&] { return items_.size() < capacity_; }) || stop.stop_requested()) return nullptr;
    item->is_ready_ = is_ready;
    Item* const pushed = items_.emplace_back(std::move(item)).get();
    if (is_ready && items_.size() == 1) ready_.notify_one();
    return pushed;
  }

  // The caller does not touch it any more.
  void ready(Item* item) {
    const std::lock_guard lock(mutex_);
    item->is_ready_ = true;
    if (item == items_.front().get()) ready_.notify_one();
  }

  // No more is coming.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    ready_.notify_one();
  }

  // Waits for what is ready at the front, and moves it to `out`. False at the end, or when stopped.
  bool take(std::deque<std::unique_ptr<Item>>& out, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    const auto some = [&] { return items_.empty() ? closed_ : items_.front()->is_ready_; };
    if (!ready_.wait(lock, stop, some) || stop.stop_requested() || items_.empty()) return false;
    while (!items_.empty() && items_.front()->is_ready_) {
      out.push_back(std::move(items_.front()));
      items_.pop_front();
    }
    room_.notify_one();
    return true;
  }

 private:
  const std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable_any room_, ready_;
  std::deque<std::unique_ptr<Item>> items_;
  bool closed_ = false;
};

}  // namespace kura::archive
