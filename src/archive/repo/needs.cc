#include "archive/repo/needs.h"

#include <utility>

#include <fmt/format.h>

#include "archive/format/limits.h"

namespace kura::archive {

using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;

Result<const std::vector<IndexedPack>*> ClearIndexes::packs(const store::ObjectId& index) {
  if (const auto known = known_.find(index); known != known_.end()) return &known->second;
  const base::Bytes bytes = KURA_TRY(repository_->store().get(Kind::kIndex, index, kIndexLimit));
  Index read = KURA_TRY_AS(Index::decode(bytes, nullptr), "index " + index.hex());
  if (read.repository != repository_->config().repository) {
    return base::fail(ErrorCode::kDamaged, fmt::format("index {} is of another repository", index.hex()));
  }
  return &known_.emplace(index, std::move(read.packs)).first->second;
}

Status for_each_need(const Snapshot& snapshot, ClearIndexes& indexes,
                     const std::function<void(const IndexedPack& pack)>& visit) {
  for (const NeededPacks& needed : snapshot.needs) {
    auto packs = indexes.packs(needed.index);
    if (!packs) {
      base::Error error = std::move(packs).error();
      if (error.code() != ErrorCode::kNotFound) return base::fail(std::move(error));
      return base::fail(ErrorCode::kDamaged, error.message(), error.hint());
    }
    if (!needed.fits((*packs)->size())) {
      return base::fail(ErrorCode::kDamaged,
                        fmt::format("it needs packs that index {} does not list", needed.index.hex()));
    }
    for (std::size_t i = 0; i < (*packs)->size(); ++i) {
      if (needed.has(i)) visit((**packs)[i]);
    }
  }
  return {};
}

Result<Needs> read_needs(const Repository& repository, ClearIndexes& indexes) {
  const auto refuse = [&](const store::ObjectId& id, base::Error error) {
    return base::fail(std::move(error)
                          .within(fmt::format("cannot tell what snapshot {} needs", id.hex()))
                          .with_hint(fmt::format("run `kura check`; copy what is damaged back from another copy of the "
                                                 "repository, or give the snapshot up with `kura forget {}`",
                                                 id.hex())));
  };
  const SnapshotList list = KURA_TRY(repository.snapshots());
  if (!list.damaged.empty()) return refuse(list.damaged.front().id, list.damaged.front().error);
  Needs needs;
  for (const StoredSnapshot& stored : list.snapshots) {
    for (const NeededPacks& needed : stored.snapshot.needs) needs.indexes.insert(needed.index);
    Status status =
        for_each_need(stored.snapshot, indexes, [&](const IndexedPack& pack) { needs.packs.insert(pack.id); });
    if (status) continue;
    // Forgotten since the list was read, and cleared away: it needs nothing any more.
    const auto there = repository.store().stat(Kind::kSnapshot, stored.id);
    if (!there && there.error().code() == ErrorCode::kNotFound) continue;
    return refuse(stored.id, std::move(status).error());
  }
  return needs;
}

}  // namespace kura::archive
