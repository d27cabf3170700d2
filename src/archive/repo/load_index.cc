// Loading a ChunkIndex from a repository, and from the packs themselves where index objects are damaged.
#include <algorithm>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "archive/format/limits.h"
#include "archive/repo/chunk_index.h"
#include "archive/repo/read_index_tables.h"

namespace kura::archive {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;
using store::ObjectId;
using store::ObjectInfo;
using IdSet = std::unordered_set<ObjectId, base::DigestHash>;

std::vector<ObjectInfo> in_order_received(std::vector<ObjectInfo> objects) {
  std::ranges::sort(objects, [](const ObjectInfo& a, const ObjectInfo& b) {
    return std::tie(a.received, a.id) < std::tie(b.received, b.id);
  });
  return objects;
}

// Adds what the repository knows of packs that are there and that `skip` does not say: from the index objects, and from
// their footers those of packs that no index lists, among which are those of a lost index.
Status add_rest(const Repository& repository, const std::function<bool(const ObjectId& pack)>& skip, ChunkIndex& into,
                std::vector<DamagedObject>& damaged) {
  const std::vector<ObjectInfo> packs = in_order_received(KURA_TRY(repository.store().list(Kind::kPack)));
  IdSet there, listed;
  for (const ObjectInfo& pack : packs) there.insert(pack.id);
  const auto is_told = [&](const ObjectId& id) {
    return std::ranges::find(damaged, id, &DamagedObject::id) != damaged.end();
  };
  const std::vector<ObjectInfo> indexes = in_order_received(KURA_TRY(repository.store().list(Kind::kIndex)));
  std::vector<IndexTableResult> tables = KURA_TRY(read_index_tables(repository, indexes, indexes));
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    if (tables[i]) {
      for (const IndexTable::Pack& pack : (*tables[i])->packs()) listed.insert(pack.id);
      into.add(indexes[i].id, *std::move(tables[i]),
               [&](const ObjectId& pack) { return !there.contains(pack) || skip(pack); });
    } else if (!is_damage(tables[i].error())) {
      return base::fail(std::move(tables[i]).error());
    } else if (!is_told(indexes[i].id)) {
      damaged.push_back({Kind::kIndex, indexes[i].id, std::move(tables[i]).error()});
    }
  }
  for (const ObjectInfo& pack : packs) {
    if (listed.contains(pack.id) || skip(pack.id)) continue;
    Result<PackRecord> record = read_footer(repository, pack);
    if (record) {
      into.add_pack(pack.id, pack.size, *record);
    } else if (is_damage(record.error())) {
      damaged.push_back({Kind::kPack, pack.id, std::move(record).error()});
    } else {
      return base::fail(std::move(record).error());
    }
  }
  return {};
}

Error index_lost(const Repository& repository, const ObjectId& id, const Error& why) {
  return Error(ErrorCode::kDamaged,
               fmt::format("index {} in {} cannot be read ({}); what it said is taken from the packs themselves",
                           id.hex(), repository.store().describe(), why.message()),
               "run `kura check` to see what else is damaged; the next backup writes a new index");
}

}  // namespace

Result<ChunkIndex> load_index(const Repository& repository, const StoredSnapshot& snapshot,
                              std::vector<DamagedObject>& damaged) {
  KURA_TRY(repository.need_write_secrets());
  const std::vector<ObjectInfo> listed = KURA_TRY(repository.store().list(Kind::kIndex));
  std::vector<ObjectInfo> wanted;
  for (const NeededPacks& needed : snapshot.snapshot.needs) {
    const auto found = std::ranges::find(listed, needed.index, &ObjectInfo::id);
    wanted.push_back(found != listed.end() ? *found : ObjectInfo{.id = needed.index});
  }
  std::vector<IndexTableResult> tables = KURA_TRY(read_index_tables(repository, wanted, listed));
  ChunkIndex loaded;
  bool some_lost = false;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (tables[i]) {
      loaded.add(wanted[i].id, *std::move(tables[i]));
      continue;
    }
    if (!is_damage(tables[i].error())) return base::fail(std::move(tables[i]).error());
    damaged.push_back({Kind::kIndex, wanted[i].id, index_lost(repository, wanted[i].id, std::move(tables[i]).error())});
    some_lost = true;
  }
  if (some_lost) {
    KURA_TRY(add_rest(repository, [](const ObjectId&) { return false; }, loaded, damaged));
  } else {
    loaded.set_partial();
  }
  loaded.finish();
  return loaded;
}

Result<ChunkIndex> load_other_indexes(const Repository& repository, const ChunkIndex& known) {
  ChunkIndex loaded;
  std::vector<DamagedObject> left_out;  // `kura check` tells
  KURA_TRY(add_rest(repository, [&](const ObjectId& pack) { return known.has_pack(pack); }, loaded, left_out));
  loaded.finish();
  return loaded;
}

Result<ChunkIndex> load_all_indexes(const Repository& repository, std::vector<DamagedObject>& damaged) {
  KURA_TRY(repository.need_write_secrets());
  const std::vector<ObjectInfo> indexes = in_order_received(KURA_TRY(repository.store().list(Kind::kIndex)));
  std::vector<IndexTableResult> tables = KURA_TRY(read_index_tables(repository, indexes, indexes));
  ChunkIndex loaded;
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    if (tables[i]) {
      loaded.add(indexes[i].id, *std::move(tables[i]));
    } else if (is_damage(tables[i].error())) {
      damaged.push_back({Kind::kIndex, indexes[i].id, std::move(tables[i]).error()});
    } else {
      return base::fail(std::move(tables[i]).error());
    }
  }
  loaded.finish();
  return loaded;
}

Result<PackRecord> read_footer(const Repository& repository, const ObjectInfo& pack) {
  const WriteSecrets* secrets = KURA_TRY(repository.need_write_secrets());
  store::Store& store = repository.store();
  const auto about = [&](Error error) {
    return base::fail(std::move(error)
                          .within(fmt::format("pack {} in {}", pack.id.hex(), store.describe()))
                          .with_hint("run `kura check` to see what depends on it"));
  };
  if (pack.size < kPackHeaderSize + kPackTrailerSize || pack.size > kPackLimit) {
    return about(Error(ErrorCode::kDamaged, fmt::format("no pack has {} bytes", pack.size)));
  }
  std::array<std::uint8_t, kPackHeaderSize> head{};
  std::array<std::uint8_t, kPackTrailerSize> trailer{};
  KURA_TRY(store.read_at(Kind::kPack, pack.id, 0, head));
  KURA_TRY(store.read_at(Kind::kPack, pack.id, pack.size - kPackTrailerSize, trailer));

  const Result<PackHeader> header = PackHeader::decode(head);
  if (!header) return about(header.error());
  if (header->repository != repository.config().repository) {
    return about(Error(ErrorCode::kDamaged, "it belongs to another repository"));
  }
  const Result<std::uint32_t> size = footer_size(trailer, pack.size);
  if (!size) return about(size.error());
  base::Bytes sealed(*size);
  KURA_TRY(store.read_at(Kind::kPack, pack.id, pack.size - kPackTrailerSize - *size, sealed));
  Result<PackRecord> record = open_footer(*header, sealed, pack.size, secrets->catalog);
  if (!record) return about(std::move(record).error());
  return record;
}

}  // namespace kura::archive
