// Opened frames that were used last, bounded by their bytes. Shared by threads, and by readers of the same repository:
// a frame is known by the pack it is in.
#pragma once

#include <cstdint>

#include "archive/repo/text_cache.h"
#include "store/object.h"

namespace kura::archive {

class FrameCache {
 public:
  using Text = std::shared_ptr<const base::Bytes>;

  // `limit` in bytes of opened text; a frame that is larger than it is not kept.
  explicit FrameCache(std::size_t limit) : texts_(limit) {}

  // Null when it is not there.
  Text find(const store::ObjectId& pack, std::uint32_t frame) { return texts_.find({pack, frame}); }
  void insert(const store::ObjectId& pack, std::uint32_t frame, Text text) {
    texts_.insert({pack, frame}, std::move(text));
  }

 private:
  struct Key {
    store::ObjectId pack;
    std::uint32_t frame = 0;
    friend bool operator==(const Key&, const Key&) = default;
  };
  struct KeyHash {
    std::size_t operator()(const Key& key) const { return base::DigestHash()(key.pack) + key.frame; }
  };

  TextCache<Key, KeyHash> texts_;
};

}  // namespace kura::archive
