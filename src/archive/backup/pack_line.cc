#include "archive/backup/pack_line.h"

#include <algorithm>
#include <utility>

#include "archive/backup/frame_builder.h"

namespace kura::archive {
namespace {

// A pack is full when it has reached its target, so it may exceed that by one frame.
std::size_t largest_pack(const Config& config) {
  const std::size_t largest_frame =
      std::max({std::size_t{config.files.most}, std::size_t{config.listings.most}, 2 * FrameBuilder::kTarget});
  return config.pack_target + largest_frame + crypto::kTagSize;
}

// A line far away lets each connection carry only so much, so more of them fill it; but each holds a pack in memory.
std::size_t storers_for(const store::Store& store) { return std::clamp<std::size_t>(store.requests_at_once(), 2, 4); }

}  // namespace

PackLine::PackLine(store::Store& store, const Config& config, const SealingKeys& keys, PackSink on_stored,
                   JobControl& job)
    : store_(store),
      keys_(keys),
      target_(config.pack_target),
      buffer_size_(largest_pack(config)),
      on_stored_(std::move(on_stored)),
      job_(job),
      memory_(storers_for(store) + 2),
      sealed_(storers_for(store) + 2),
      on_stop_(job.token(), [this] { sealed_.cancel(); }) {
  for (std::size_t i = 0; i < storers_for(store); ++i) storers_.emplace_back([this] { store_packs(); });
}

PackLine::~PackLine() {
  if (!storers_.empty()) job_.fail({base::ErrorCode::kInterrupted, "abandoned"});
}

void PackLine::add(Content content, Compression compression, std::vector<ChunkEntry> chunks, base::ByteSpan text) {
  OpenPack& open = open_pack(content);
  std::unique_lock lock(open.mutex);
  if (!open.builder) {
    std::optional<base::RawBuffer> memory = memory_.take(job_.token());
    if (!memory) return;
    memory->reserve(buffer_size_);
    open.builder.emplace(content, target_, *std::move(memory));
  }
  open.builder->add(compression, std::move(chunks), text);
  if (!open.builder->full()) return;
  PackBuilder full = *std::move(open.builder);
  open.builder.reset();
  lock.unlock();
  seal(std::move(full));
}

void PackLine::seal(PackBuilder pack) {
  // Refused only when the job has stopped, and then nobody wants it.
  [[maybe_unused]] const bool taken = sealed_.push(std::move(pack).seal(keys_));
}

base::Status PackLine::store_pack(SealedPack& pack) {
  const base::ByteSpan parts[] = {pack.header, pack.frames.span(), pack.footer};
  KURA_TRY(store_.put(store::Kind::kPack, pack.id, parts));
  const std::lock_guard lock(sink_mutex_);
  return on_stored_({.id = pack.id, .size = pack.size(), .record = std::move(pack.record)}, parts);
}

void PackLine::store_packs() {
  while (std::optional<SealedPack> pack = sealed_.pop()) {
    if (base::Status stored = store_pack(*pack); !stored) return job_.fail(std::move(stored).error());
    memory_.give_back(std::move(pack->frames));
  }
}

void PackLine::finish() {
  for (OpenPack* open : {&files_, &listings_}) {
    const std::lock_guard lock(open->mutex);
    if (open->builder && !job_.stopped()) seal(*std::move(open->builder));
    open->builder.reset();
  }
  sealed_.close();
  storers_.clear();
}

}  // namespace kura::archive
