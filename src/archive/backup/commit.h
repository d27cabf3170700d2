// The end of a job that wrote: indexes, then the one object that makes it all visible.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "archive/backup/index_writer.h"
#include "archive/backup/write_session.h"
#include "archive/backup/writer.h"
#include "archive/format/snapshot.h"

namespace kura::archive {

struct Committed {
  store::ObjectId snapshot;
  std::vector<store::ObjectId> indexes;  // that were written for it
  std::uint64_t bytes_written = 0;       // indexes and snapshot

  // What came into the store beside packs.
  std::vector<std::pair<store::Kind, store::ObjectId>> objects() const {
    std::vector<std::pair<store::Kind, store::ObjectId>> all{{store::Kind::kSnapshot, snapshot}};
    for (const store::ObjectId& index : indexes) all.emplace_back(store::Kind::kIndex, index);
    return all;
  }
};

// After writer.finish(). `label` is complete; `series` and `started` as the snapshot shall say them.
// `indexes` has the new packs, all needed. Small old indexes are folded into new ones where a snapshot would have to
// name many. When it returns, the snapshot is durable; after an error none is visible, unless the error came from the
// very last sync. kConflict: what it leans on is gone; run the job again.
base::Result<Committed> commit_snapshot(WriteSession& session, const Writer& writer, IndexWriter& indexes,
                                        SnapshotLabel label, const Series& series, std::int64_t started);

}  // namespace kura::archive
