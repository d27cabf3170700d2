// One thread's way into the store: identify -> compress -> pack. What is new among its small chunks is gathered into
// frames of its own, so that threads do not wait for each other, and what lies side by side in the source does so in
// the packs.
//
//   Lane lane(writer);
//   ChunkId id = KURA_TRY(lane.put(Content::kFile, bytes));
//   ... when all lanes are gone: KURA_TRY(writer.finish());
#pragma once

#include <array>

#include "archive/backup/compress.h"
#include "archive/backup/frame_builder.h"
#include "archive/backup/task_queue.h"
#include "archive/backup/writer.h"

namespace kura::archive {

// Not shared between threads. Memory: about 2 MiB.
class Lane {
 public:
  // Both outlive it. `helpers`: whose idle threads may take large chunks off this one.
  explicit Lane(Writer& writer, TaskQueue* helpers = nullptr);
  // Hands on what was gathered, unless the job was stopped.
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // Stores the chunk unless it is there already; waits while too many packs are on their way. An error is the job's: of
  // the store, or kInterrupted.
  base::Result<ChunkId> put(Content content, base::ByteSpan text);
  // A frame that another lane gave away.
  void store(RawFrame& frame);

 private:
  FrameBuilder& frames(Content content) { return frames_[content == Content::kFile ? 0 : 1]; }
  void store(Content content, std::vector<ChunkEntry> chunks, base::ByteSpan text);
  void flush(FrameBuilder& frames);
  void give_away(Content content, const ChunkId& id, base::ByteSpan text);

  Writer& writer_;
  TaskQueue* const helpers_;
  ChunkNamer namer_;
  Compressor compressor_;
  std::array<FrameBuilder, 2> frames_{FrameBuilder(Content::kFile), FrameBuilder(Content::kListing)};
};

}  // namespace kura::archive
