#include "vault/holding/holding.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "archive/format/index.h"
#include "archive/format/key_object.h"
#include "archive/format/limits.h"
#include "crypto/hash.h"
#include "store/folder_store.h"

namespace kura::vault {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;
using store::ObjectId;
using store::ObjectInfo;

constexpr std::size_t kMostKeys = 256;  // that machines may add

std::string journal_of(const std::string& folder) { return folder + "/journal"; }
std::string store_of(const std::string& folder) { return folder + "/objects"; }

std::uint64_t limit_of(Kind kind) {
  switch (kind) {
    case Kind::kConfig:
      return archive::kConfigLimit;
    case Kind::kKey:
      return archive::kKeyLimit;
    case Kind::kPack:
      return archive::kPackLimit;
    case Kind::kIndex:
      return archive::kIndexLimit;
    case Kind::kSnapshot:
      return archive::kSnapshotLimit;
    case Kind::kLease:
      return archive::kLeaseLimit;
    case Kind::kCondemned:
      return 0;
    case Kind::kParity:
      return archive::kParityLimit;
  }
  return 0;
}

std::unexpected<Error> not_here(Kind kind, const ObjectId& id, const std::string& name) {
  return base::fail(ErrorCode::kNotFound,
                    fmt::format("{} {} is not in the repository {}", store::name_of(kind), id.hex(), name));
}

}  // namespace

Holding::Holding(std::unique_ptr<store::Store> store, std::unique_ptr<Journal> journal, Clock clock)
    : store_(std::move(store)), journal_(std::move(journal)), clock_(std::move(clock)) {}

Result<std::unique_ptr<Holding>> Holding::create(const std::string& folder, const std::string& name,
                                                 const base::Key& vault_seed, Clock clock) {
  if (::mkdir(folder.c_str(), 0700) != 0) return base::fail(Error::from_errno("cannot create " + folder, errno));
  auto store = KURA_TRY(store::create_folder_store(store_of(folder), store::posix_file_system()));
  auto journal = KURA_TRY(Journal::create(journal_of(folder), vault_seed, name, clock()));
  std::unique_ptr<Holding> holding(new Holding(std::move(store), std::move(journal), std::move(clock)));
  KURA_TRY(holding->load());
  return holding;
}

Result<std::unique_ptr<Holding>> Holding::open(const std::string& folder, const base::Key& vault_seed, Clock clock) {
  auto journal = KURA_TRY(Journal::open(journal_of(folder), vault_seed));
  auto store = KURA_TRY(store::open_folder_store(store_of(folder), store::posix_file_system()));
  std::unique_ptr<Holding> holding(new Holding(std::move(store), std::move(journal), std::move(clock)));
  KURA_TRY(holding->load());
  return holding;
}

Status Holding::load() {
  const base::MutexLock lock(mutex_);
  KURA_TRY(journal_->for_each([this](const Entry& entry) KURA_REQUIRES(mutex_) { take(entry); }));
  for (const ObjectInfo& pack : KURA_TRY(store_->list(Kind::kPack))) packs_.emplace(pack.id, pack);
  if (!config_id_.is_zero()) KURA_TRY(load_config(config_id_));
  return {};
}

// Only what the journal says; objects are looked at when they are needed.
void Holding::take(const Entry& entry) {
  const Event& event = entry.event;
  switch (event.type) {
    case EventType::kObject:
      if (event.kind == Kind::kConfig && event.objects.size() == 1) config_id_ = event.objects[0];
      break;
    case EventType::kCommit:
      if (event.objects.size() != 1) break;
      snapshots_[event.objects[0]] = {.id = event.objects[0],
                                      .size = event.bytes,
                                      .received = entry.time,
                                      .sequence = entry.sequence,
                                      .machine = event.key,
                                      .number = event.number,
                                      .series = event.series,
                                      .started = event.from};
      break;
    case EventType::kExpire:
    case EventType::kDelete:
      for (const ObjectId& id : event.objects) {
        snapshots_.erase(id);
        gone_.emplace(id, entry.sequence);
      }
      break;
    case EventType::kFreeze:
      frozen_ = true;
      break;
    case EventType::kThaw:
      frozen_ = false;
      break;
    case EventType::kPolicy:
      take_policy(event);
      break;
    default:
      break;
  }
}

// What is known follows from the journal, now as after a restart.
Result<Receipt> Holding::write(Event event) {
  Receipt receipt = KURA_TRY(journal_->append(std::move(event), now()));
  const Entry entry = KURA_TRY(Entry::decode(receipt.entry));
  const base::MutexLock lock(mutex_);
  take(entry);
  return receipt;
}

Status Holding::load_config(const ObjectId& id) {
  const base::Bytes object = KURA_TRY(store_->get(Kind::kConfig, id, archive::kConfigLimit));
  config_ = KURA_TRY(archive::Config::decode(object));
  config_id_ = id;
  machines_.clear();
  for (const ObjectInfo& info : KURA_TRY(store_->list(Kind::kKey))) {
    // A key that cannot be read certifies nobody; scrubbing tells of it.
    const Result<base::Bytes> key = store_->get(Kind::kKey, info.id, archive::kKeyLimit);
    if (!key) continue;
    const auto decoded = archive::decode_key_object(*key, config_id_, config_->signing_key);
    if (!decoded) continue;
    if (const auto* machine = std::get_if<archive::MachineCertificate>(&*decoded))
      machines_.push_back(machine->machine);
  }
  return {};
}

Status Holding::may_send(Kind kind, const ObjectId& id, std::uint64_t size) const {
  if (kind == Kind::kCondemned) {
    return base::fail(ErrorCode::kDenied, "a vault collects its garbage itself: nobody else condemns objects in it",
                      "set what is kept with `kura-vault policy`");
  }
  if (size > limit_of(kind)) {
    return base::fail(ErrorCode::kUsage, fmt::format("a {} of {} bytes is too large", store::name_of(kind), size));
  }
  const base::MutexLock lock(mutex_);
  // The config is the last object that `kura init` stores: what it is that makes keys valid comes after them.
  if (kind != Kind::kConfig && kind != Kind::kKey && !config_) {
    return base::fail(ErrorCode::kNotFound, fmt::format("the repository {} is empty", name()),
                      "make it with `kura init`");
  }
  if (kind == Kind::kConfig && config_ && id != config_id_) {
    return base::fail(ErrorCode::kExists, fmt::format("the repository {} has a config already", name()));
  }
  return {};
}

Result<ObjectInfo> Holding::stat(Kind kind, const ObjectId& id) const {
  if (kind == Kind::kSnapshot) {
    const base::MutexLock lock(mutex_);
    const auto at = snapshots_.find(id);
    if (at == snapshots_.end()) return not_here(kind, id, name());
    return ObjectInfo{.id = id, .size = at->second.size, .received = at->second.received};
  }
  if (kind == Kind::kPack) {
    const base::MutexLock lock(mutex_);
    const auto at = packs_.find(id);
    if (at == packs_.end()) return not_here(kind, id, name());
    return at->second;
  }
  Result<ObjectInfo> info = store_->stat(kind, id);
  if (!info && info.error().code() == ErrorCode::kNotFound) return not_here(kind, id, name());
  return info;
}

Result<std::vector<ObjectInfo>> Holding::list(Kind kind) const {
  std::vector<ObjectInfo> found;
  if (kind == Kind::kSnapshot) {
    for (const HeldSnapshot& held : snapshots()) found.push_back({held.id, held.size, held.received});
    return found;
  }
  if (kind == Kind::kPack) {
    const base::MutexLock lock(mutex_);
    found.reserve(packs_.size());
    for (const auto& [id, info] : packs_) found.push_back(info);
    return found;
  }
  return store_->list(kind);
}

Status Holding::read_at(Kind kind, const ObjectId& id, std::uint64_t offset, base::MutableByteSpan out) const {
  return store_->read_at(kind, id, offset, out);
}

Result<std::unique_ptr<store::Upload>> Holding::upload(Kind kind, const ObjectId& id, std::uint64_t size) {
  return store_->upload(kind, id, size);
}

void Holding::uploaded(Kind kind, const ObjectId& id, std::uint64_t size) {
  if (kind != Kind::kPack) return;
  const base::MutexLock lock(mutex_);
  packs_.insert_or_assign(id, ObjectInfo{.id = id, .size = size, .received = now()});
}

Status Holding::put(Kind kind, const ObjectId& id, base::ByteSpan object, const std::string& who) {
  if (crypto::sha256(object) != id) return base::fail(store::upload_is_not_as_announced(kind, id));
  if (kind == Kind::kConfig) return put_config(id, object, who);
  if (kind == Kind::kKey) return put_key(id, object, who);
  return store_->put(kind, id, object);
}

Status Holding::put_config(const ObjectId& id, base::ByteSpan object, const std::string& who) {
  const base::MutexLock one_at_a_time(committing_);
  const base::MutexLock lock(mutex_);
  if (config_) return id == config_id_ ? Status{} : base::fail(ErrorCode::kExists, "it has a config already");
  KURA_TRY(archive::Config::decode(object));
  KURA_TRY(store_->put(Kind::kConfig, id, object));
  KURA_TRY(store_->sync());
  KURA_TRY(load_config(id));
  KURA_TRY(journal_->append(
      {.type = EventType::kObject, .who = who, .kind = Kind::kConfig, .objects = {id}, .bytes = object.size()}, now()));
  return {};
}

Status Holding::put_key(const ObjectId& id, base::ByteSpan object, const std::string& who) {
  const base::MutexLock one_at_a_time(committing_);
  const base::MutexLock lock(mutex_);
  std::optional<crypto::PublicKey> machine;
  if (config_) {
    auto key = archive::decode_key_object(object, config_id_, config_->signing_key);
    if (!key) return base::fail(ErrorCode::kDenied, "this key is not one of this repository: " + key.error().message());
    if (const auto* certificate = std::get_if<archive::MachineCertificate>(&*key)) machine = certificate->machine;
  }
  if (KURA_TRY(store_->list(Kind::kKey)).size() >= kMostKeys) {
    return base::fail(ErrorCode::kNoSpace, fmt::format("the repository {} has {} keys already", name(), kMostKeys));
  }
  KURA_TRY(store_->put(Kind::kKey, id, object));
  KURA_TRY(store_->sync());
  if (machine) machines_.push_back(*machine);
  KURA_TRY(journal_->append(
      {.type = EventType::kObject, .who = who, .kind = Kind::kKey, .objects = {id}, .bytes = object.size()}, now()));
  return {};
}

Status Holding::remove_lease(const ObjectId& id) { return store_->remove(Kind::kLease, id); }

Status Holding::sync() { return store_->sync(); }

Result<std::optional<Receipt>> Holding::known_commit(const ObjectId& id) const {
  std::uint64_t sequence = 0;
  std::int64_t time = 0;
  {
    const base::MutexLock lock(mutex_);
    if (const auto gone = gone_.find(id); gone != gone_.end()) {
      return base::fail(
          ErrorCode::kConflict,
          fmt::format("snapshot {} was here and has gone (entry {} of the journal): it does not come back", id.hex(),
                      gone->second),
          "make a new backup");
    }
    const auto at = snapshots_.find(id);
    if (at == snapshots_.end()) return std::optional<Receipt>();
    sequence = at->second.sequence;
    time = at->second.received;
  }
  return Receipt{.sequence = sequence, .time = time, .entry = KURA_TRY(journal_->read(sequence, 0))};
}

Status Holding::check_signer(const archive::Snapshot& snapshot) const {
  const base::MutexLock lock(mutex_);
  if (!config_ || snapshot.repository != config_->repository) {
    return base::fail(ErrorCode::kDenied, fmt::format("the snapshot is not one of the repository {}", name()));
  }
  if (std::ranges::find(machines_, snapshot.machine) != machines_.end()) return {};
  return base::fail(ErrorCode::kDenied, "the snapshot is signed by a machine without a certificate",
                    "give the machine a key with `kura key`");
}

Result<std::vector<ObjectInfo>> Holding::packs_of(const ObjectId& index) {
  {
    const base::MutexLock lock(mutex_);
    if (const auto at = indexes_.find(index); at != indexes_.end()) return at->second;
  }
  const base::Bytes object = KURA_TRY(store_->get(Kind::kIndex, index, archive::kIndexLimit));
  const archive::Index decoded = KURA_TRY(archive::Index::decode(object, nullptr));
  std::vector<ObjectInfo> packs;
  packs.reserve(decoded.packs.size());
  for (const archive::IndexedPack& pack : decoded.packs) packs.push_back({.id = pack.id, .size = pack.size});
  const base::MutexLock lock(mutex_);
  if (!config_ || decoded.repository != config_->repository) {
    return base::fail(ErrorCode::kDenied, fmt::format("index {} is another repository's", index.hex()));
  }
  return indexes_.insert_or_assign(index, std::move(packs)).first->second;
}

Status Holding::check_needs(const archive::Snapshot& snapshot) {
  std::uint64_t missing = 0;
  std::string first;
  for (const archive::NeededPacks& needed : snapshot.needs) {
    const auto packs = packs_of(needed.index);
    if (!packs && packs.error().code() == ErrorCode::kNotFound) return not_here(Kind::kIndex, needed.index, name());
    if (!packs) return base::fail(packs.error());
    if (!needed.fits(packs->size())) {
      return base::fail(ErrorCode::kDamaged,
                        fmt::format("the snapshot needs packs that index {} does not have", needed.index.hex()));
    }
    const base::MutexLock lock(mutex_);
    for (std::size_t k = 0; k < packs->size(); ++k) {
      if (!needed.has(k)) continue;
      const auto here = packs_.find((*packs)[k].id);
      if (here != packs_.end() && here->second.size == (*packs)[k].size) continue;
      if (missing++ == 0) first = (*packs)[k].id.hex();
    }
  }
  if (missing == 0) return {};
  return base::fail(ErrorCode::kNotFound,
                    fmt::format("the snapshot needs {} pack{} that {} not in the repository {}; the first is {}",
                                missing, missing == 1 ? "" : "s", missing == 1 ? "is" : "are", name(), first),
                    "run the backup again: it stores what is missing");
}

Result<Receipt> Holding::commit(const ObjectId& id, base::ByteSpan object, const std::string& who) {
  if (crypto::sha256(object) != id) return base::fail(store::upload_is_not_as_announced(Kind::kSnapshot, id));
  const base::MutexLock one_at_a_time(committing_);
  if (std::optional<Receipt> known = KURA_TRY(known_commit(id))) return *std::move(known);
  const archive::Snapshot snapshot = KURA_TRY(archive::Snapshot::decode(object, nullptr));
  KURA_TRY(check_signer(snapshot));
  KURA_TRY(check_needs(snapshot));
  KURA_TRY(store_->put(Kind::kSnapshot, id, object));
  KURA_TRY(store_->sync());
  return write({.type = EventType::kCommit,
                .who = who,
                .kind = Kind::kSnapshot,
                .objects = {id},
                .bytes = object.size(),
                .key = snapshot.machine,
                .number = snapshot.number,
                .series = snapshot.series,
                .from = snapshot.started});
}

std::vector<HeldSnapshot> Holding::snapshots() const {
  std::vector<HeldSnapshot> all;
  {
    const base::MutexLock lock(mutex_);
    all.reserve(snapshots_.size());
    for (const auto& [id, held] : snapshots_) all.push_back(held);
  }
  std::ranges::sort(all, {}, &HeldSnapshot::sequence);
  return all;
}

}  // namespace kura::vault
