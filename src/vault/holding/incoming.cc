// What machines send, and what is asked of it before it counts.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "archive/format/index.h"
#include "archive/format/key_object.h"
#include "archive/format/limits.h"
#include "base/human.h"
#include "crypto/hash.h"
#include "vault/holding/holding.h"
#include "vault/holding/limits.h"

namespace kura::vault {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;
using store::ObjectId;
using store::ObjectInfo;

constexpr std::size_t kMostKeys = 256;          // that machines may add
constexpr std::size_t kMostListed = 2'000'000;  // packs, of indexes in memory: some 100 MiB
constexpr std::size_t kMostLeases = 256;        // at a time

// What it writes counts from its finish() on.
class ClaimedUpload final : public store::Upload {
 public:
  ClaimedUpload(std::unique_ptr<store::Upload> upload, Claim claim)
      : upload_(std::move(upload)), claim_(std::move(claim)) {}
  Status write(base::ByteSpan bytes) override { return upload_->write(bytes); }
  Status finish() override {
    KURA_TRY(upload_->finish());
    claim_.kept();
    return {};
  }

 private:
  const std::unique_ptr<store::Upload> upload_;
  Claim claim_;
};

}  // namespace

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
  if (!config_ && !config_id_.is_zero() && id != config_id_) {
    return base::fail(ErrorCode::kDamaged, fmt::format("the config of the repository {} is damaged", name()),
                      "a vault that follows this one puts it right; until then nothing comes in");
  }
  if (kind != Kind::kConfig && kind != Kind::kKey && !config_) {
    return base::fail(ErrorCode::kNotFound, fmt::format("the repository {} is empty", name()),
                      "make it with `kura init`");
  }
  if (kind == Kind::kConfig && config_ && id != config_id_) {
    return base::fail(ErrorCode::kExists, fmt::format("the repository {} has a config already", name()));
  }
  return {};
}

Result<std::unique_ptr<store::Upload>> Holding::upload(Kind kind, const ObjectId& id, std::uint64_t size) {
  if (stat(kind, id)) return store_->upload(kind, id, size);  // it takes no more room
  Claim claim = KURA_TRY(space_->claim(name(), size));
  return std::make_unique<ClaimedUpload>(KURA_TRY(store_->upload(kind, id, size)), std::move(claim));
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
  if (KURA_TRY(store_->list(kind)).size() >= kMostLeases) {
    return base::fail(ErrorCode::kNoSpace, fmt::format("the repository {} has {} leases already", name(), kMostLeases),
                      "one that is not renewed ends by itself");
  }
  return store_->put(kind, id, object);
}

Status Holding::put_config(const ObjectId& id, base::ByteSpan object, const std::string& who) {
  const base::MutexLock one_at_a_time(committing_);
  const base::MutexLock lock(mutex_);
  if (!config_id_.is_zero() && id != config_id_) return base::fail(ErrorCode::kExists, "it has a config already");
  if (config_) return {};
  KURA_TRY(archive::Config::decode(object));
  Claim claim = KURA_TRY(space_->claim(name(), object.size()));
  const base::ByteSpan parts[] = {object};
  KURA_TRY(store_->replace(Kind::kConfig, id, parts));  // over what may be left of a damaged one
  KURA_TRY(store_->sync());
  claim.kept();
  // One that the journal does not name is none, however it came here.
  KURA_TRY(journal_->append(
      {.type = EventType::kObject, .who = who, .kind = Kind::kConfig, .objects = {id}, .bytes = object.size()}, now()));
  return load_config(id);
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
  Claim claim = KURA_TRY(space_->claim(name(), object.size()));
  KURA_TRY(store_->put(Kind::kKey, id, object));
  KURA_TRY(store_->sync());
  claim.kept();
  if (machine) machines_.push_back(*machine);
  keys_.insert(id);
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

Result<Holding::PackList> Holding::packs_of(const ObjectId& index) {
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
  // Who lists packs that nobody has fills no memory with them; indexes are read again when they are asked for.
  std::size_t listed = packs.size();
  for (const auto& [id, known] : indexes_) listed += known->size();
  if (listed > kMostListed) indexes_.clear();
  return indexes_.insert_or_assign(index, std::make_shared<const std::vector<ObjectInfo>>(std::move(packs)))
      .first->second;
}

Status Holding::for_each_need(const archive::Snapshot& snapshot, const std::function<Status(const ObjectId&)>& no_index,
                              const std::function<void(const ObjectInfo&, Presence)>& visit) {
  for (const archive::NeededPacks& needed : snapshot.needs) {
    const Result<PackList> packs = packs_of(needed.index);
    if (!packs && packs.error().code() != ErrorCode::kNotFound) return base::fail(packs.error());
    if (!packs) {
      KURA_TRY(no_index(needed.index));
      continue;
    }
    if (!needed.fits((*packs)->size())) {
      return base::fail(ErrorCode::kDamaged,
                        fmt::format("the snapshot needs packs that index {} does not have", needed.index.hex()));
    }
    const base::MutexLock lock(mutex_);
    for (std::size_t k = 0; k < (*packs)->size(); ++k) {
      if (!needed.has(k)) continue;
      const ObjectInfo& pack = (**packs)[k];
      const auto here = packs_.find(pack.id);
      const bool is_here = here != packs_.end() && here->second.size == pack.size;
      visit(pack, !is_here ? Presence::kMissing : barred_.contains(pack.id) ? Presence::kBarred : Presence::kHere);
    }
  }
  return {};
}

// That all is here, of the size that its index says, and none of it behind a barrier.
Status Holding::check_needs(const archive::Snapshot& snapshot) {
  std::uint64_t missing = 0, barred = 0;
  std::string first;
  const auto no_index = [this](const ObjectId& index) -> Status { return base::fail(not_here(Kind::kIndex, index)); };
  KURA_TRY(for_each_need(snapshot, no_index, [&](const ObjectInfo& pack, Presence presence) {
    if (presence == Presence::kBarred) ++barred;
    if (presence == Presence::kMissing && missing++ == 0) first = pack.id.hex();
  }));
  if (missing != 0) {
    return base::fail(ErrorCode::kNotFound,
                      fmt::format("the snapshot needs {} pack{} that {} not in the repository {}; the first is {}",
                                  missing, missing == 1 ? "" : "s", missing == 1 ? "is" : "are", name(), first),
                      "run the backup again: it stores what is missing");
  }
  if (barred == 0) return {};
  return base::fail(ErrorCode::kConflict,
                    fmt::format("the snapshot needs {} that came in during an attack, behind a barrier",
                                base::human_count(barred, "pack")),
                    "run the backup again: it stores anew what it needs of them");
}

Result<Receipt> Holding::commit(const ObjectId& id, base::ByteSpan object, const std::string& who) {
  if (crypto::sha256(object) != id) return base::fail(store::upload_is_not_as_announced(Kind::kSnapshot, id));
  const base::MutexLock one_at_a_time(committing_);
  if (std::optional<Receipt> known = KURA_TRY(known_commit(id))) return *std::move(known);
  const archive::Snapshot snapshot = KURA_TRY(archive::Snapshot::decode(object, nullptr));
  KURA_TRY(check_signer(snapshot));
  KURA_TRY(check_needs(snapshot));
  const Change change = KURA_TRY(change_of(snapshot));
  KURA_TRY(lock_needs(snapshot));
  Claim claim = KURA_TRY(space_->claim(name(), object.size()));
  KURA_TRY(store_->put(Kind::kSnapshot, id, object));
  KURA_TRY(store_->sync());
  claim.kept();
  Receipt receipt = KURA_TRY(write({.type = EventType::kCommit,
                                    .who = who,
                                    .text = suspicion_of({snapshot.machine, snapshot.series}, change).value_or(""),
                                    .kind = Kind::kSnapshot,
                                    .objects = {id},
                                    .bytes = object.size(),
                                    .key = snapshot.machine,
                                    .number = snapshot.number,
                                    .series = snapshot.series,
                                    .from = snapshot.started,
                                    .added = change.added,
                                    .dropped = change.dropped,
                                    .needed = change.after()}));
  derived_->remember(id, snapshot.needs);
  return receipt;
}

}  // namespace kura::vault
