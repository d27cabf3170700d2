// What the walk has found and the assembly has not yet taken, in walk order and in batches: handing over costs locks
// and wake-ups, so it is done once for many entries. Batches are read by many threads and become ready in any order;
// the assembly takes what is ready from the front.
#pragma once

#include <sys/stat.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include "archive/backup/file_cache.h"
#include "archive/backup/open_folder.h"
#include "archive/format/entry.h"
#include "base/error.h"

namespace kura::archive {

struct Item {
  enum class Kind : std::uint8_t { kEnter, kLeave, kEntry };
  // The names of one file: the first is read, and the others take its entry over.
  enum class Link : std::uint8_t { kNone, kFirst, kAgain, kLast };

  Kind kind = Kind::kEntry;
  Link link = Link::kNone;
  bool left_out = false;  // it could not be read: it is not in the snapshot
  Entry entry;
  std::optional<base::Error> problem;

  // Of files.
  bool known_before = false;  // the cache had it, in whatever state
  bool unmodified = false;
  std::pair<std::uint64_t, std::uint64_t> inode;  // device, inode, as the walk saw it: of files with several names
  // For the next cache; its content and more are in the entry, too. Of a file that is to be read although it is
  // unchanged: what is remembered of it.
  std::optional<CachedFile> remembered;
  std::optional<JudgedVersion> judged_before;
  std::optional<JudgedVersion> moved_before;  // of a file that may be this one under another name
  ContentRef content_before;                  // to tell a touched file from a changed one
  std::uint64_t bytes_read = 0;

  Before before() const {
    return {.known = judged_before ? &*judged_before : nullptr, .moved = moved_before ? &*moved_before : nullptr};
  }
  // It is what it was when it was remembered.
  void take_remembered() {
    unmodified = true;
    entry.size = remembered->size;
    entry.content = remembered->content.ref;
    entry.extents = remembered->extents;
    entry.xattrs = remembered->xattrs;
    if (remembered->judged) entry.judged = remembered->judged->judged;
  }
  // Of one that was read: there is something remembered of it.
  void set_judged(JudgedVersion judged) {
    entry.judged = judged.judged;
    remembered->judged = std::move(judged);
  }
};

struct Batch {
  std::vector<Item> items;

  // The files among them that are to be read.
  struct Read {
    OpenFolder parent;
    struct stat status;  // as the walk saw it
    std::size_t item;
  };
  std::vector<Read> reads;
  std::uint64_t read_size = 0;  // bytes, by the walk

 private:
  friend class BatchWindow;
  bool is_ready_ = false;  // guarded by the window's mutex
};

// Shared by one thread that pushes, many that make ready, one that takes.
class BatchWindow {
 public:
  // `capacity` in items.
  explicit BatchWindow(std::size_t capacity) : capacity_(capacity) {}

  // Waits for room. A batch with something to read stays the caller's to fill, until it says ready(). Null when
  // stopped.
  Batch* push(std::unique_ptr<Batch> batch, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    const auto fits = [&] { return batches_.empty() || items_ + batch->items.size() <= capacity_; };
    if (!room_.wait(lock, stop, fits) || stop.stop_requested()) return nullptr;
    items_ += batch->items.size();
    batch->is_ready_ = batch->reads.empty();
    Batch* const pushed = batches_.emplace_back(std::move(batch)).get();
    if (pushed->is_ready_ && batches_.size() == 1) ready_.notify_one();
    return pushed;
  }

  // The caller does not touch it any more.
  void ready(Batch* batch) {
    const std::lock_guard lock(mutex_);
    batch->is_ready_ = true;
    if (batch == batches_.front().get()) ready_.notify_one();
  }

  // No more is coming.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    ready_.notify_one();
  }

  // Waits for what is ready at the front, and moves it to `out`. False at the end, or when stopped.
  bool take(std::deque<std::unique_ptr<Batch>>& out, const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    const auto some = [&] { return batches_.empty() ? closed_ : batches_.front()->is_ready_; };
    if (!ready_.wait(lock, stop, some) || stop.stop_requested() || batches_.empty()) return false;
    while (!batches_.empty() && batches_.front()->is_ready_) {
      items_ -= batches_.front()->items.size();
      out.push_back(std::move(batches_.front()));
      batches_.pop_front();
    }
    room_.notify_one();
    return true;
  }

 private:
  const std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable_any room_, ready_;
  std::deque<std::unique_ptr<Batch>> batches_;
  std::size_t items_ = 0;  // in batches_
  bool closed_ = false;
};

}  // namespace kura::archive
