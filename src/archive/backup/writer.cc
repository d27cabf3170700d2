#include "archive/backup/writer.h"

#include <utility>

namespace kura::archive {

Writer::Writer(store::Store& store, const Config& config, const WriteSecrets& secrets, const ChunkIndex& known,
               PackSink on_stored, JobControl& job, bool dry_run, CompactionPlan plan)
    : job_(job),
      secrets_(secrets),
      dry_run_(dry_run),
      naming_(config.naming),
      keys_(SealingKeys::create(config, secrets.catalog)),
      identifier_(known, std::move(plan)),
      line_(store, config, keys_, std::move(on_stored), job) {}

bool Writer::claim(const ChunkId& id, std::size_t size) {
  const bool is_new = identifier_.claim(id, size);
  ++(is_new ? chunks_new_ : chunks_reused_);
  return is_new;
}

bool Writer::use(const ChunkId& id) {
  if (!identifier_.use(id)) return false;
  ++chunks_reused_;
  return true;
}

bool Writer::keep(const ChunkId& id) {
  if (!identifier_.keep(id)) return false;
  ++chunks_reused_;
  return true;
}

base::Status Writer::finish() {
  line_.finish();
  return job_.status();
}

}  // namespace kura::archive
