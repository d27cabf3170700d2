// Opened frames that were used last, bounded by their bytes. Shared by threads.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/bytes.h"

namespace kura::archive {

class FrameCache {
 public:
  using Text = std::shared_ptr<const base::Bytes>;

  // `limit` in bytes of opened text; a frame that is larger than it is not kept.
  explicit FrameCache(std::size_t limit) : limit_(limit) {}

  // Null when it is not there.
  Text find(std::uint32_t pack, std::uint32_t frame) {
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key_of(pack, frame));
    if (found == by_key_.end()) return nullptr;
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    return found->second->text;
  }

  void insert(std::uint32_t pack, std::uint32_t frame, Text text) {
    if (text->size() > limit_) return;
    const std::lock_guard lock(mutex_);
    if (by_key_.contains(key_of(pack, frame))) return;
    bytes_ += text->size();
    by_use_.push_front({key_of(pack, frame), std::move(text)});
    by_key_.emplace(by_use_.front().key, by_use_.begin());
    while (bytes_ > limit_) {
      bytes_ -= by_use_.back().text->size();
      by_key_.erase(by_use_.back().key);
      by_use_.pop_back();
    }
  }

 private:
  struct Item {
    std::uint64_t key;
    Text text;
  };
  static std::uint64_t key_of(std::uint32_t pack, std::uint32_t frame) { return std::uint64_t{pack} << 32 | frame; }

  const std::size_t limit_;
  std::mutex mutex_;  // guards what follows
  std::size_t bytes_ = 0;
  std::list<Item> by_use_;  // used last first
  std::unordered_map<std::uint64_t, std::list<Item>::iterator> by_key_;
};

}  // namespace kura::archive
