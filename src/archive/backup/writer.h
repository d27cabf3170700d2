// Where chunks become packs in the store: identify -> ... -> seal -> pack -> store. Threads put chunks by lanes
// (lane.h). It knows nothing of files and folders: content_writer.h cuts streams into chunks for it.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "archive/backup/identifier.h"
#include "archive/backup/job_control.h"
#include "archive/backup/pack_line.h"
#include "archive/format/chunk_id.h"
#include "archive/repo/secrets.h"

namespace kura::archive {

// Shared by threads. Memory: about 130 MiB with packs of 32 MiB (200 MiB for a store far away), and 45 bytes for each
// new chunk.
class Writer {
 public:
  // All references outlive it. `known` has only packs that may be leaned on. `on_stored` takes each new pack. A dry run
  // identifies and counts, and stores nothing. What sparse packs of the plan hold is stored anew (compaction.h).
  Writer(store::Store& store, const Config& config, const WriteSecrets& secrets, const ChunkIndex& known,
         PackSink on_stored, JobControl& job, bool dry_run = false, CompactionPlan plan = {});

  // For a chunk of an earlier backup: false when it is not there, or should not stay where it is, and the content has
  // to be put again.
  bool use(const ChunkId& id);
  // The same where the content cannot be put again: false only when it is not there.
  bool keep(const ChunkId& id);

  // After the last lane is gone: returns when all is in the store (not yet durable: Store::sync()).
  base::Status finish();

  // Whether pack `number` of `known` is needed, and how much of it was put or used. All new packs are needed.
  bool needs(std::size_t number) const { return identifier_.needs(number); }
  std::uint64_t used(std::size_t number) const { return identifier_.used(number); }
  std::uint64_t chunks_new() const { return chunks_new_; }
  std::uint64_t chunks_reused() const { return chunks_reused_; }
  std::uint64_t bytes_compacted() const { return identifier_.bytes_compacted(); }
  std::size_t packs_compacted() const { return identifier_.packs_compacted(); }
  JobControl& job() const { return job_; }

  // For lanes.
  ChunkNamer namer() const { return {secrets_.chunk_id, naming_}; }
  bool is_dry_run() const { return dry_run_; }
  // True when the caller, and nobody else, has to store the chunk.
  bool claim(const ChunkId& id, std::size_t size);
  // Waits while too many packs are on their way to the store. Errors go to the job.
  void pack(Content content, Compression compression, std::vector<ChunkEntry> chunks, base::ByteSpan text) {
    line_.add(content, compression, std::move(chunks), text);
  }

 private:
  JobControl& job_;
  const WriteSecrets& secrets_;
  const bool dry_run_;
  const ChunkNaming naming_;
  const SealingKeys keys_;
  Identifier identifier_;
  std::atomic<std::uint64_t> chunks_new_{0}, chunks_reused_{0};
  PackLine line_;
};

}  // namespace kura::archive
