#include "archive/upkeep/stand_ins.h"

#include <algorithm>
#include <utility>

#include "archive/repo/chunk_index.h"

namespace kura::archive {
namespace {

using base::Result;
using store::ObjectId;
using ChunkIdSet = std::unordered_set<ChunkId, base::DigestHash>;

template <typename Visit>
void each_chunk(const PackRecord& record, Visit visit) {
  for (const FrameRecord& frame : record.frames) {
    for (const ChunkEntry& chunk : frame.chunks) visit(chunk.id);
  }
}

bool holds_any(const PackRecord& record, const ChunkIdSet& chunks) {
  bool found = false;
  each_chunk(record, [&](const ChunkId& id) { found = found || chunks.contains(id); });
  return found;
}

// What any index says that they held: one may lie, and then only too much is kept.
Result<ChunkIdSet> chunks_of(const Repository& repository, const StandInSearch& search) {
  ChunkIdSet chunks;
  for (const ObjectId& id : search.indexes) {
    const Index index = KURA_TRY(repository.index(id));
    for (const IndexedPack& pack : index.packs) {
      if (search.lost.contains(pack.id)) each_chunk(pack.record, [&](const ChunkId& chunk) { chunks.insert(chunk); });
    }
  }
  return chunks;
}

}  // namespace

Result<Needs> find_stand_ins(const Repository& repository, const StandInSearch& search) {
  const ChunkIdSet chunks = KURA_TRY(chunks_of(repository, search));
  Needs found;
  for (const ObjectId& id : search.indexes) {
    const Index index = KURA_TRY(repository.index(id));
    for (const IndexedPack& pack : index.packs) {
      if (search.lost.contains(pack.id) || !holds_any(pack.record, chunks)) continue;
      found.packs.insert(pack.id);
      found.indexes.insert(id);
    }
  }
  for (const store::ObjectInfo& pack : search.unlisted) {
    const Result<PackRecord> record = read_footer(repository, pack);
    if (record && holds_any(*record, chunks)) found.packs.insert(pack.id);
    if (!record && !is_damage(record.error())) return base::fail(record.error());
  }
  return found;
}

}  // namespace kura::archive
