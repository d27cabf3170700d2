#include "archive/backup/write_session.h"

#include <algorithm>
#include <functional>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "archive/repo/condemned.h"
#include "archive/repo/read_index_tables.h"

namespace kura::archive {
namespace {

using ObjectSet = std::unordered_set<store::ObjectId, base::DigestHash>;

// Whether all are there and none is about to go.
base::Result<bool> all_safe(store::Store& store, store::Kind kind, const Condemned& condemned,
                            const std::vector<store::ObjectId>& wanted) {
  ObjectSet safe;
  for (const store::ObjectInfo& object : KURA_TRY(store.list(kind))) {
    if (!object.barred && !condemned.may_go(kind, object)) safe.insert(object.id);
  }
  return std::ranges::all_of(wanted, [&](const store::ObjectId& id) { return safe.contains(id); });
}

}  // namespace

base::Result<std::unique_ptr<WriteSession>> WriteSession::open(const Repository& repository, LeasePurpose purpose,
                                                               bool with_lease, std::stop_token stop) {
  std::unique_ptr<WriteSession> session(new WriteSession(repository, purpose));
  if (with_lease) session->lease_ = KURA_TRY(Lease::take(repository.store(), purpose));
  KURA_TRY(session->load(std::move(stop)));
  return session;
}

base::Status WriteSession::load(std::stop_token stop) {
  store::Store& store = repository_.store();
  const Condemned condemned = KURA_TRY(Condemned::read(repository_));
  // Packs before indexes: a pack that a running job stores in between is then not taken for an orphan.
  std::unordered_map<store::ObjectId, store::ObjectInfo, base::DigestHash> usable;
  for (const store::ObjectInfo& pack : KURA_TRY(store.list(store::Kind::kPack))) {
    if (!pack.barred && !condemned.may_go(store::Kind::kPack, pack)) usable.emplace(pack.id, pack);
  }
  std::vector<store::ObjectInfo> indexes = KURA_TRY(store.list(store::Kind::kIndex));
  // A pack that is in several is taken from the first: from large indexes, so that snapshots name few.
  std::ranges::sort(indexes, std::greater(), &store::ObjectInfo::size);
  const std::vector<store::ObjectInfo> listed = indexes;
  std::erase_if(indexes, [&](const store::ObjectInfo& index) { return condemned.may_go(store::Kind::kIndex, index); });
  std::vector<IndexTableResult> tables = KURA_TRY(read_index_tables(repository_, indexes, listed, stop));
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    if (!tables[i]) continue;  // damaged, or removed meanwhile; `check` tells
    ObjectSet wrong_size;
    for (const IndexTable::Pack& pack : (*tables[i])->packs()) {
      const auto found = usable.find(pack.id);
      if (found != usable.end() && found->second.size != pack.size) wrong_size.insert(pack.id);
    }
    known_.add(indexes[i].id, *std::move(tables[i]),
               [&](const store::ObjectId& pack) { return !usable.contains(pack) || wrong_size.contains(pack); });
  }
  for (const auto& [id, info] : usable) {
    if (known_.has_pack(id)) continue;
    KURA_TRY(base::not_stopped(stop));
    base::Result<PackRecord> record = read_footer(repository_, info);
    if (!record) continue;  // damaged, or removed meanwhile
    known_.add_pack(id, info.size, *record);
    adopted_.push_back({.id = id, .size = info.size, .record = *std::move(record)});
  }
  known_.finish(ChunkIndex::LookUps::kMost);
  return {};
}

base::Status WriteSession::confirm(const std::vector<store::ObjectId>& packs,
                                   const std::vector<store::ObjectId>& indexes) {
  const base::Result<bool> held = lease_->still_held();
  if (held && *held) return {};
  // Under a new lease, garbage collection that begins now leaves alone what is looked at here.
  store::Store& store = repository_.store();
  lease_ = KURA_TRY(Lease::take(store, purpose_));
  const Condemned condemned = KURA_TRY(Condemned::read(repository_));
  const bool packs_safe = KURA_TRY(all_safe(store, store::Kind::kPack, condemned, packs));
  const bool indexes_safe = KURA_TRY(all_safe(store, store::Kind::kIndex, condemned, indexes));
  if (packs_safe && indexes_safe) return {};
  return base::fail(base::ErrorCode::kConflict,
                    "the backup lost its lease, and garbage collection has taken what it leans on",
                    "Run it again; what it has stored is used");
}

}  // namespace kura::archive
