// Gathers small chunks into frames: they compress better together, and a frame costs a tag and a record.
#pragma once

#include <cstdint>
#include <vector>

#include "archive/format/pack.h"
#include "base/raw_buffer.h"

namespace kura::archive {

// The text of a frame before compression, with the chunks that make it up.
struct RawFrame {
  Content content = Content::kFile;
  std::vector<ChunkEntry> chunks;
  base::RawBuffer text;
};

// For one content type, so that a frame never mixes them. Not shared between threads.
class FrameBuilder {
 public:
  static constexpr std::size_t kSmall = 128U << 10;   // bytes: chunks below are gathered
  static constexpr std::size_t kTarget = 256U << 10;  // bytes of a gathered frame; it has less than both together
  static constexpr std::size_t kMostChunks = 4096;

  explicit FrameBuilder(Content content) { open_.content = content; }

  static bool is_small(base::ByteSpan text) { return text.size() < kSmall; }

  // Copies the chunk, which is small. True when the frame is complete: then take() it.
  bool add(const ChunkId& id, base::ByteSpan text) {
    if (open_.chunks.empty()) open_.text.reserve(kTarget + kSmall);  // it never outgrows that
    open_.text.append(text);
    open_.chunks.push_back({id, static_cast<std::uint32_t>(text.size())});
    return open_.text.size() >= kTarget || open_.chunks.size() >= kMostChunks;
  }
  bool empty() const { return open_.chunks.empty(); }
  RawFrame& frame() { return open_; }
  // For the next one; its memory is used again.
  void clear() {
    open_.chunks.clear();
    open_.text.clear();
  }

 private:
  RawFrame open_;
};

}  // namespace kura::archive
