// From wanted chunks to files: sorted by where they lie, read in runs of neighbouring frames, by many threads.
#pragma once

#include <cstdint>
#include <memory>
#include <semaphore>
#include <thread>
#include <vector>

#include "archive/repo/pack_reader.h"
#include "archive/restore/file_job.h"
#include "base/bounded_queue.h"

namespace kura::archive {

// A chunk that a file waits for.
struct WantedChunk {
  ChunkPlace place;
  FileJob* job = nullptr;
  std::size_t number = 0;  // of the chunk in the file
  std::uint64_t data_offset = 0;
};

struct RestoreBatch {
  std::vector<std::shared_ptr<FileJob>> jobs;  // that `wanted` points to
  std::vector<WantedChunk> wanted;
};

// Memory: two batches, and what each thread reads at a time.
class ChunkFlow {
 public:
  // Everything outlives the flow. Starts `threads` threads.
  ChunkFlow(PackReader& reader, FileWriter& writer, RestoreReport& report, unsigned threads);
  ~ChunkFlow();

  // Waits until at most one other batch is under way. By one thread.
  void submit(RestoreBatch batch);
  // Returns when everything is written (or the report says to stop).
  void finish();

 private:
  struct Run {
    std::shared_ptr<const RestoreBatch> batch;
    std::size_t first, count;  // in batch->wanted: all of one pack
  };
  void work();
  void read_run(const Run& run);
  std::size_t deliver(std::span<const WantedChunk> wanted, const base::Result<base::ByteSpan>& text);
  void deliver_one(const WantedChunk& wanted, const base::Result<base::ByteSpan>& bytes);

  PackReader& reader_;
  FileWriter& writer_;
  RestoreReport& report_;
  std::counting_semaphore<> room_;  // for batches
  base::BoundedQueue<Run> runs_;
  std::vector<std::jthread> threads_;
};

}  // namespace kura::archive
