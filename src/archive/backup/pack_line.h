// The end of the line: frames go into packs, packs are sealed and stored.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <thread>
#include <vector>

#include "archive/backup/buffer_pool.h"
#include "archive/backup/job_control.h"
#include "archive/backup/pack_builder.h"
#include "archive/format/index.h"
#include "base/bounded_queue.h"
#include "store/store.h"

namespace kura::archive {

// Takes each pack when the store has it, with its bytes, which go when it returns. Called from several threads, one at
// a time; an error ends the job.
using PackBytes = std::span<const base::ByteSpan>;
using PackSink = std::function<base::Status(IndexedPack, PackBytes)>;

// Shared by threads: add() seals on the thread that filled a pack; threads of its own put packs into the store: two, or
// four where the store is worth it. Memory: two packs more than there are such threads, the open ones included.
class PackLine {
 public:
  // All references outlive it.
  PackLine(store::Store& store, const Config& config, const SealingKeys& keys, PackSink on_stored, JobControl& job);
  // Ends the job when it was not finished.
  ~PackLine();

  // Appends a frame to the open pack of its content type, and seals that when it is full. Waits while too many packs
  // are on their way to the store. Errors go to the job.
  void add(Content content, Compression compression, std::vector<ChunkEntry> chunks, base::ByteSpan text);
  // Seals what is open and returns when everything is in the store, or the job has failed.
  void finish();

 private:
  struct OpenPack {
    std::mutex mutex;
    std::optional<PackBuilder> builder;
  };
  OpenPack& open_pack(Content content) { return content == Content::kFile ? files_ : listings_; }
  void seal(PackBuilder pack);
  void store_packs();
  base::Status store_pack(SealedPack& pack);

  store::Store& store_;
  const SealingKeys& keys_;
  const std::size_t target_, buffer_size_;  // bytes
  PackSink on_stored_;
  JobControl& job_;
  OpenPack files_, listings_;
  BufferPool memory_;
  base::BoundedQueue<SealedPack> sealed_;  // has room for all there can be
  std::stop_callback<std::function<void()>> on_stop_;
  std::mutex sink_mutex_;
  std::vector<std::jthread> storers_;
};

}  // namespace kura::archive
