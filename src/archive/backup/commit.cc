#include "archive/backup/commit.h"

#include <unordered_set>
#include <utility>

#include "archive/backup/index_folding.h"
#include "archive/repo/lock_needed.h"

namespace kura::archive {
namespace {

// What a snapshot needs of the indexes that were there before.
struct OldIndex {
  WrittenIndex needs;
  std::size_t frames = 0;  // of its needed packs: how much it would be to list them anew
};

std::vector<OldIndex> needed_old_indexes(const WriteSession& session, const Writer& writer) {
  const ChunkIndex& known = session.known();
  std::vector<OldIndex> indexes(known.indexes().size());
  for (std::size_t number = 0; number < known.packs().size(); ++number) {
    const ChunkIndex::Pack& pack = known.packs()[number];
    if (pack.index == ChunkIndex::kNoIndex || !writer.needs(number)) continue;
    OldIndex& index = indexes[pack.index];
    index.needs.needs.index = known.indexes()[pack.index];
    index.needs.needs.add(pack.position);
    index.needs.packs.push_back(pack.id);
    index.frames += pack.frames;
  }
  std::erase_if(indexes, [](const OldIndex& index) { return index.needs.packs.empty(); });
  return indexes;
}

// Lists the needed packs of some old indexes anew, and drops those from `old`. One that cannot be read any more stays.
base::Status fold(const Repository& repository, std::vector<OldIndex>& old, IndexWriter& indexes) {
  std::vector<std::size_t> frames;
  frames.reserve(old.size());
  for (const OldIndex& index : old) frames.push_back(index.frames);
  for (const std::size_t number : indexes_to_fold(frames)) {
    OldIndex& folded = old[number];
    base::Result<Index> index = repository.index(folded.needs.needs.index);
    if (!index) continue;
    for (std::size_t k = 0; k < index->packs.size(); ++k) {
      if (folded.needs.needs.has(k)) KURA_TRY(indexes.add(std::move(index->packs[k]), true));
    }
    folded.needs.packs.clear();
  }
  std::erase_if(old, [](const OldIndex& index) { return index.needs.packs.empty(); });
  return {};
}

// Packs that an interrupted job has left are listed from now on, needed or not.
base::Status adopt(const WriteSession& session, const Writer& writer, IndexWriter& indexes) {
  const ChunkIndex& known = session.known();
  if (session.adopted().empty()) return {};
  std::unordered_set<store::ObjectId, base::DigestHash> needed;
  for (std::size_t number = 0; number < known.packs().size(); ++number) {
    if (writer.needs(number)) needed.insert(known.packs()[number].id);
  }
  for (const IndexedPack& pack : session.adopted()) KURA_TRY(indexes.add(pack, needed.contains(pack.id)));
  return {};
}

// The machine's chain: its number and the snapshot before.
base::Status place_in_chain(const Repository& repository, Snapshot& snapshot) {
  for (const StoredSnapshot& stored : KURA_TRY(repository.snapshots()).snapshots) {
    if (stored.snapshot.machine != snapshot.machine || stored.snapshot.number <= snapshot.number) continue;
    snapshot.number = stored.snapshot.number;
    snapshot.before = stored.id;
  }
  ++snapshot.number;
  return {};
}

base::Result<Committed> put_snapshot(WriteSession& session, const std::vector<WrittenIndex>& needs, Snapshot snapshot) {
  const Repository& repository = session.repository();
  std::vector<store::ObjectId> packs, indexes;
  for (const WrittenIndex& index : needs) {
    if (index.packs.empty()) continue;
    snapshot.needs.push_back(index.needs);
    indexes.push_back(index.needs.index);
    packs.insert(packs.end(), index.packs.begin(), index.packs.end());
  }
  KURA_TRY(lock_needed(repository.store(), known_locks_path(repository), packs, indexes));
  const WriteSecrets* secrets = KURA_TRY(repository.need_write_secrets());
  const base::UniqueFd lock = KURA_TRY(repository.machine_state()->lock_commits());
  KURA_TRY(place_in_chain(repository, snapshot));
  KURA_TRY(session.confirm(packs, indexes));
  const base::Bytes object =
      snapshot.encode(crypto::preferred_aead(), secrets->catalog, repository.machine()->signing_seed);
  const store::ObjectId id = KURA_TRY(repository.put(store::Kind::kSnapshot, object));
  KURA_TRY(repository.store().sync());
  return Committed{.snapshot = id, .indexes = {}, .bytes_written = object.size()};
}

}  // namespace

base::Result<Committed> commit_snapshot(WriteSession& session, const Writer& writer, IndexWriter& indexes,
                                        SnapshotLabel label, const Series& series, std::int64_t started) {
  const Repository& repository = session.repository();
  KURA_TRY(adopt(session, writer, indexes));
  std::vector<OldIndex> old = needed_old_indexes(session, writer);
  KURA_TRY(fold(repository, old, indexes));
  std::vector<WrittenIndex> needs = KURA_TRY(indexes.finish());
  std::vector<store::ObjectId> written;
  for (const WrittenIndex& index : needs) written.push_back(index.needs.index);
  KURA_TRY(repository.store().sync());
  for (OldIndex& index : old) needs.push_back(std::move(index.needs));

  Snapshot snapshot;
  snapshot.repository = repository.config().repository;
  snapshot.machine = repository.machine()->public_key();
  snapshot.series = series;
  snapshot.started = started;
  snapshot.label = std::move(label);
  Committed committed = KURA_TRY(put_snapshot(session, needs, std::move(snapshot)));
  committed.indexes = std::move(written);
  committed.bytes_written += indexes.bytes_written();
  return committed;
}

}  // namespace kura::archive
