// Opened frames that were used last, bounded by their bytes. Shared by threads.
#pragma once

#include <cstdint>

#include "archive/repo/text_cache.h"

namespace kura::archive {

class FrameCache {
 public:
  using Text = TextCache<std::uint64_t>::Text;

  // `limit` in bytes of opened text; a frame that is larger than it is not kept.
  explicit FrameCache(std::size_t limit) : texts_(limit) {}

  // Null when it is not there.
  Text find(std::uint32_t pack, std::uint32_t frame) { return texts_.find(key_of(pack, frame)); }
  void insert(std::uint32_t pack, std::uint32_t frame, Text text) {
    texts_.insert(key_of(pack, frame), std::move(text));
  }

 private:
  static std::uint64_t key_of(std::uint32_t pack, std::uint32_t frame) { return std::uint64_t{pack} << 32 | frame; }

  TextCache<std::uint64_t> texts_;
};

}  // namespace kura::archive
