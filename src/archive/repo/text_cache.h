// Opened texts that were used last, bounded by their bytes. Shared by threads.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "base/bytes.h"

namespace kura::archive {

template <typename Key, typename Hash = std::hash<Key>>
class TextCache {
 public:
  using Text = std::shared_ptr<const base::Bytes>;

  // `limit` in bytes of text; one that is larger than it is not kept.
  explicit TextCache(std::size_t limit) : limit_(limit) {}

  // Null when it is not there.
  Text find(const Key& key) {
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key);
    if (found == by_key_.end()) return nullptr;
    by_use_.splice(by_use_.begin(), by_use_, found->second);
    return found->second->text;
  }

  void insert(const Key& key, Text text) {
    if (text->size() > limit_) return;
    const std::lock_guard lock(mutex_);
    if (by_key_.contains(key)) return;
    bytes_ += text->size();
    by_use_.push_front({key, std::move(text)});
    by_key_.emplace(key, by_use_.begin());
    while (bytes_ > limit_) {
      bytes_ -= by_use_.back().text->size();
      by_key_.erase(by_use_.back().key);
      by_use_.pop_back();
    }
  }

 private:
  struct Item {
    Key key;
    Text text;
  };

  const std::size_t limit_;
  std::mutex mutex_;  // guards what follows
  std::size_t bytes_ = 0;
  std::list<Item> by_use_;  // used last first
  std::unordered_map<Key, typename std::list<Item>::iterator, Hash> by_key_;
};

}  // namespace kura::archive
