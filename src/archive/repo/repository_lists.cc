// Reading a repository's small objects: keys, snapshots, indexes.
#include <algorithm>
#include <atomic>
#include <tuple>

#include <fmt/format.h>

#include "archive/format/limits.h"
#include "archive/repo/cache_file.h"
#include "archive/repo/repository.h"
#include "archive/repo/snapshot_cache.h"
#include "base/parallel.h"

namespace kura::archive {

using base::ErrorCode;
using base::Result;
using store::Kind;

namespace {

// When one in a hundred is not in the cache, or half of it is gone: so that a backup a minute does not write what is
// known of thousands each time.
bool is_worth_writing(std::size_t known, std::size_t proven_now, std::size_t listed) {
  constexpr std::size_t kFew = 100;
  return proven_now * kFew > listed || known > 2 * listed + kFew;
}

// What was read of a listing: of each object the snapshot, or why not.
struct ReadSnapshots {
  explicit ReadSnapshots(std::size_t count) : stored(count), problems(count) {}

  std::vector<StoredSnapshot> stored;
  std::vector<std::optional<base::Error>> problems;
};

void remember(const std::string& path, const store::ObjectId& config, const std::vector<store::ObjectInfo>& infos,
              const ReadSnapshots& read) {
  std::vector<SnapshotCache::Item> items;
  for (std::size_t i = 0; i < infos.size(); ++i) {
    if (read.problems[i]) continue;
    items.push_back({.id = infos[i].id, .size = infos[i].size, .snapshot = &read.stored[i].snapshot});
  }
  const base::Bytes file = SnapshotCache::encode(std::move(items), config);
  const base::ByteSpan parts[] = {file};
  static_cast<void>(write_cache_file(path, parts));
}

// The whole ones in order, and the others apart.
SnapshotList sorted_out(ReadSnapshots read) {
  SnapshotList list;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < read.stored.size(); ++i) {
    if (!read.problems[i]) {
      if (kept != i) read.stored[kept] = std::move(read.stored[i]);
      ++kept;
    } else if (read.problems[i]->code() != ErrorCode::kNotFound) {  // else forgotten meanwhile
      list.damaged.push_back({.kind = Kind::kSnapshot, .id = read.stored[i].id, .error = *std::move(read.problems[i])});
    }
  }
  read.stored.resize(kept);
  list.snapshots = std::move(read.stored);
  const auto order = [](const StoredSnapshot& at) {
    return std::tie(at.received, at.snapshot.number, at.snapshot.machine, at.id);
  };
  if (!std::ranges::is_sorted(list.snapshots, {}, order)) std::ranges::sort(list.snapshots, {}, order);
  std::ranges::sort(list.damaged, {}, &DamagedObject::id);
  return list;
}

}  // namespace

Result<KeyObject> Repository::key_object(const store::ObjectId& id) const {
  const base::Bytes bytes = KURA_TRY(store_->get(Kind::kKey, id, kKeyLimit));
  return KURA_TRY_AS(decode_key_object(bytes, config_id_, config_.signing_key), "key " + id.hex());
}

Result<KeyList> Repository::keys() const {
  KeyList list;
  for (const store::ObjectInfo& info : KURA_TRY(store_->list(Kind::kKey))) {
    Result<KeyObject> object = key_object(info.id);
    if (!object) {
      // Not found: removed meanwhile, or it belongs to another config and is nothing to us.
      if (object.error().code() != ErrorCode::kNotFound) {
        list.damaged.push_back({.kind = Kind::kKey, .id = info.id, .error = std::move(object).error()});
      }
    } else if (auto* slot = std::get_if<RecoverySlot>(&*object)) {
      list.slots.push_back({.id = info.id, .slot = std::move(*slot)});
    } else if (auto* certificate = std::get_if<MachineCertificate>(&*object)) {
      list.machines.push_back({.id = info.id, .certificate = std::move(*certificate)});
    }
  }
  std::ranges::sort(list.slots, {}, [](const KeyList::Slot& at) { return std::tuple(at.slot.created, at.id); });
  std::ranges::sort(list.machines, {},
                    [](const KeyList::Machine& at) { return std::tuple(at.certificate.created, at.id); });
  return list;
}

Result<std::vector<crypto::PublicKey>> Repository::certified_machines() const {
  std::vector<crypto::PublicKey> machines;
  for (const KeyList::Machine& at : KURA_TRY(keys()).machines) machines.push_back(at.certificate.machine);
  std::ranges::sort(machines);
  return machines;
}

Result<Snapshot> Repository::read_snapshot(const store::ObjectId& id) const {
  const base::Bytes bytes = KURA_TRY(store_->get(Kind::kSnapshot, id, kSnapshotLimit));
  return KURA_TRY_AS(Snapshot::decode(bytes, write_ ? &write_->catalog : nullptr), "snapshot " + id.hex());
}

// Whether it is one of this repository, by one of `machines`, which are sorted.
base::Status Repository::check_counts(const store::ObjectId& id, const Snapshot& snapshot,
                                      const std::vector<crypto::PublicKey>& machines) const {
  if (snapshot.repository != config_.repository) {
    return base::fail(ErrorCode::kDamaged, fmt::format("snapshot {} is of another repository", id.hex()));
  }
  if (std::ranges::binary_search(machines, snapshot.machine)) return {};
  return base::fail(ErrorCode::kDamaged,
                    fmt::format("snapshot {} is signed by a machine without a certificate", id.hex()),
                    "if a key object of the repository is missing, copy it back from another copy; otherwise somebody "
                    "has put a snapshot of their own there");
}

// Empty when nothing is kept: without the catalog key labels are neither there nor to be shown.
std::string Repository::snapshot_cache_path() const {
  return machine_state_ && write_ ? machine_state_->folder() + "/snapshots.cache" : std::string();
}

Result<SnapshotList> Repository::snapshots(Proof proof) const {
  const auto machines = KURA_TRY(certified_machines());
  std::vector<store::ObjectInfo> infos = KURA_TRY(store_->list(Kind::kSnapshot));
  // Nearly the order of the answer: small things are sorted here, so that large ones need not be.
  std::ranges::sort(infos, {}, [](const store::ObjectInfo& at) { return std::tie(at.received, at.id); });
  const std::string path = snapshot_cache_path();
  const SnapshotCache cache =
      path.empty() || proof == Proof::kAnew ? SnapshotCache() : SnapshotCache::read(path, config_id_);
  ReadSnapshots read(infos.size());
  std::atomic<std::size_t> proven = 0;  // now
  const std::size_t worth_a_thread = store_->requests_at_once() > 2 ? 1 : 16;
  const auto threads = std::min<std::size_t>(std::max(base::thread_count(0), store_->requests_at_once()),
                                             1 + infos.size() / worth_a_thread);
  KURA_TRY(base::each_on_threads(infos.size(), static_cast<unsigned>(threads), [&](std::size_t i) -> base::Status {
    read.stored[i].id = infos[i].id;
    read.stored[i].received = infos[i].received;
    if (std::optional<Snapshot> known = cache.find(infos[i])) {
      read.stored[i].snapshot = *std::move(known);
      return {};
    }
    Result<Snapshot> fresh = read_snapshot(infos[i].id);
    if (fresh) {
      read.stored[i].snapshot = *std::move(fresh);
      proven.fetch_add(1, std::memory_order_relaxed);
    } else {
      read.problems[i] = std::move(fresh).error();
    }
    return {};
  }));

  if (!path.empty() && proof == Proof::kOnce && is_worth_writing(cache.size(), proven, infos.size())) {
    remember(path, config_id_, infos, read);
  }
  for (std::size_t i = 0; i < infos.size(); ++i) {
    if (read.problems[i]) continue;
    base::Status counts = check_counts(infos[i].id, read.stored[i].snapshot, machines);
    if (!counts) read.problems[i] = std::move(counts).error();
  }
  return sorted_out(std::move(read));
}

Result<StoredSnapshot> Repository::snapshot(const store::ObjectId& id) const {
  const store::ObjectInfo info = KURA_TRY(store_->stat(Kind::kSnapshot, id));
  Snapshot snapshot = KURA_TRY(read_snapshot(id));
  KURA_TRY(check_counts(id, snapshot, KURA_TRY(certified_machines())));
  return StoredSnapshot{.id = id, .received = info.received, .snapshot = std::move(snapshot)};
}

Result<Index> Repository::index(const store::ObjectId& id) const {
  const base::Bytes bytes = KURA_TRY(store_->get(Kind::kIndex, id, kIndexLimit));
  Index index = KURA_TRY_AS(Index::decode(bytes, write_ ? &write_->catalog : nullptr), "index " + id.hex());
  if (index.repository != config_.repository) {
    return base::fail(ErrorCode::kDamaged, fmt::format("index {} is of another repository", id.hex()));
  }
  return index;
}

}  // namespace kura::archive
