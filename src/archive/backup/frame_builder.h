// Gathers small chunks into frames: they compress better together, and a frame costs a tag and a record.
#pragma once

#include <mutex>
#include <optional>
#include <vector>

#include "archive/backup/raw_buffer.h"
#include "archive/format/pack.h"

namespace kura::archive {

// The text of a frame before compression, with the chunks that make it up.
struct RawFrame {
  Content content = Content::kFile;
  std::vector<ChunkEntry> chunks;
  RawBuffer text;
};

// For one content type, so that a frame never mixes them. Shared by threads.
class FrameBuilder {
 public:
  static constexpr std::size_t kSmall = 128U << 10;   // bytes: chunks below are gathered
  static constexpr std::size_t kTarget = 256U << 10;  // bytes of a gathered frame; it has less than both together
  static constexpr std::size_t kMostChunks = 4096;

  explicit FrameBuilder(Content content) : content_(content) {}

  // Copies the chunk. A frame that is complete: a large chunk's own, or the gathered one that it made full.
  std::optional<RawFrame> add(const ChunkId& id, base::ByteSpan text) {
    if (text.size() >= kSmall) return alone(id, text);
    const std::lock_guard lock(mutex_);
    open_.content = content_;
    if (open_.chunks.empty()) open_.text.reserve(kTarget + kSmall);  // it never outgrows that
    open_.text.append(text);
    open_.chunks.push_back({id, static_cast<std::uint32_t>(text.size())});
    if (open_.text.size() < kTarget && open_.chunks.size() < kMostChunks) return std::nullopt;
    return std::exchange(open_, RawFrame{});
  }
  // What has been gathered, at the end.
  std::optional<RawFrame> flush() {
    const std::lock_guard lock(mutex_);
    if (open_.chunks.empty()) return std::nullopt;
    return std::exchange(open_, RawFrame{});
  }

 private:
  RawFrame alone(const ChunkId& id, base::ByteSpan text) const {
    RawFrame frame{.content = content_, .chunks = {}, .text = RawBuffer(text.size())};
    frame.chunks.push_back({id, static_cast<std::uint32_t>(text.size())});
    frame.text.append(text);
    return frame;
  }

  const Content content_;
  std::mutex mutex_;
  RawFrame open_;
};

}  // namespace kura::archive
