// From a chunk to the store: identify -> compress -> seal -> pack -> store.
//
//   Writer writer(store, config, secrets, known, on_stored, job, {});
//   ChunkId id = KURA_TRY(writer.put(Content::kFile, bytes));
//   KURA_TRY(writer.finish());      // now everything that was put is in the store
//
// It knows nothing of files and folders: content_writer.h cuts streams into chunks for it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "archive/backup/frame_builder.h"
#include "archive/backup/identifier.h"
#include "archive/backup/job_control.h"
#include "archive/backup/pack_line.h"
#include "archive/backup/work_queue.h"
#include "archive/repo/secrets.h"

namespace kura::archive {

struct WriterOptions {
  unsigned threads = 2;  // that compress and seal
  bool dry_run = false;  // identifies and counts; stores nothing
};

// Shared by threads. Memory: about 200 MiB with packs of 32 MiB, whatever goes through it, and 64 bytes for each new
// chunk.
class Writer {
 public:
  // All references outlive it. `known` has only packs that may be leaned on. `on_stored` takes each new pack.
  Writer(store::Store& store, const Config& config, const WriteSecrets& secrets, const ChunkIndex& known,
         PackSink on_stored, JobControl& job, const WriterOptions& options);
  // Ends the job when it was not finished.
  ~Writer();

  // Stores the chunk unless it is there already; waits while the line is full. `text` is copied as far as needed. An
  // error is the job's: of the store, or kInterrupted.
  base::Result<ChunkId> put(Content content, base::ByteSpan text);
  // For a chunk of an earlier backup: false when it is not there, and the content has to be put again.
  bool use(const ChunkId& id);

  // After the last put(): returns when all is in the store (not yet durable: Store::sync()).
  base::Status finish();

  // Whether pack `number` of `known` holds a chunk that was put or used. All new packs are needed.
  bool needs(std::size_t number) const { return identifier_.needs(number); }
  std::uint64_t chunks_new() const { return chunks_new_; }
  std::uint64_t chunks_reused() const { return chunks_reused_; }

 private:
  FrameBuilder& frames(Content content) { return frames_[content == Content::kFile ? 0 : 1]; }
  void hand_on(RawFrame frame);
  void compress_frames();

  JobControl& job_;
  const bool dry_run_;
  const SealingKeys keys_;
  Identifier identifier_;
  std::array<FrameBuilder, 2> frames_{FrameBuilder(Content::kFile), FrameBuilder(Content::kListing)};
  WorkQueue<RawFrame> to_compress_;
  std::atomic<std::uint64_t> chunks_new_{0}, chunks_reused_{0};
  PackLine line_;
  std::vector<std::jthread> workers_;
};

}  // namespace kura::archive
