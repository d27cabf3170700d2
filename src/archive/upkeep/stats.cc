#include "archive/upkeep/stats.h"

#include "archive/repo/needs.h"

namespace kura::archive {

using base::Result;
using base::Status;
using store::Kind;
using store::ObjectInfo;

namespace {

// Each pack's chunks once, however many indexes list it.
Status count_chunks(const Repository& repository, const ObjectIdSet& packs_there,
                    const std::vector<ObjectInfo>& indexes, Stats& stats) {
  std::uint64_t chunks = 0, bytes = 0;
  ObjectIdSet seen;
  for (const ObjectInfo& info : indexes) {
    const Result<Index> index = repository.index(info.id);
    if (!index) continue;  // `check` tells
    for (const IndexedPack& pack : index->packs) {
      if (!packs_there.contains(pack.id) || !seen.insert(pack.id).second) continue;
      for (const FrameRecord& frame : pack.record.frames) {
        chunks += frame.chunks.size();
        bytes += frame.text_size();
      }
    }
  }
  stats.chunks = chunks;
  stats.chunk_bytes = bytes;
  return {};
}

}  // namespace

Result<Stats> collect_stats(const Repository& repository) {
  Stats stats;
  store::Store& store = repository.store();
  const std::vector<ObjectInfo> packs = KURA_TRY(store.list(Kind::kPack));
  const std::vector<ObjectInfo> indexes = KURA_TRY(store.list(Kind::kIndex));
  const std::vector<ObjectInfo> snapshots = KURA_TRY(store.list(Kind::kSnapshot));
  stats.packs = packs.size();
  stats.indexes = indexes.size();
  stats.snapshots = snapshots.size();
  for (const ObjectInfo& info : KURA_TRY(store.list(Kind::kParity))) {
    ++stats.parity;
    stats.parity_bytes += info.size;
  }
  for (const ObjectInfo& info : indexes) stats.index_bytes += info.size;
  for (const ObjectInfo& info : snapshots) stats.snapshot_bytes += info.size;

  ClearIndexes clear(repository);
  const Needs needs = KURA_TRY(read_needs(repository, clear));
  ObjectIdSet there;
  for (const ObjectInfo& info : packs) {
    there.insert(info.id);
    stats.pack_bytes += info.size;
    if (needs.packs.contains(info.id)) continue;
    ++stats.packs_unused;
    stats.bytes_unused += info.size;
  }
  if (repository.write_secrets() == nullptr) return stats;
  KURA_TRY(count_chunks(repository, there, indexes, stats));
  stats.logical_bytes = 0;
  for (const StoredSnapshot& stored : KURA_TRY(repository.snapshots()).snapshots) {
    if (stored.snapshot.label) *stats.logical_bytes += stored.snapshot.label->counts.bytes;
  }
  return stats;
}

}  // namespace kura::archive
