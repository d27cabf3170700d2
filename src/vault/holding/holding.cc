#include "vault/holding/holding.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <fmt/format.h>

#include "archive/format/index.h"
#include "archive/format/key_object.h"
#include "archive/format/limits.h"
#include "base/human.h"
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

std::string journal_of(const std::string& folder) { return folder + "/journal"; }

// A bucket has no sign of a repository before its first object is there: so it is made anew where it was made before.
Result<std::unique_ptr<store::Store>> open_objects(const std::string& folder, const Surroundings& around, bool create) {
  const std::string objects = folder + "/objects";
  if (!around.bucket.empty()) return store::create_store(around.bucket, {.stop = around.stop, .vault_folder = folder});
  if (create) return store::create_folder_store(objects, store::posix_file_system());
  return store::open_folder_store(objects, store::posix_file_system());
}

// A crash while a repository was made leaves a folder without journal, and without objects. With objects it is another
// matter: a new journal would deny all that was.
Status must_be_empty(store::Store& store) {
  for (const Kind kind : store::kAllKinds) {
    if (KURA_TRY(store.list(kind)).empty()) continue;
    return base::fail(ErrorCode::kExists, fmt::format("there are objects in {}", store.describe()),
                      "if its journal is lost, put it back from the other vault, or from a backup of this one");
  }
  return {};
}

}  // namespace

Holding::Holding(std::string folder, std::unique_ptr<store::Store> store, std::unique_ptr<Journal> journal, Clock clock,
                 std::shared_ptr<Space> space)
    : folder_(std::move(folder)),
      store_(std::move(store)),
      journal_(std::move(journal)),
      clock_(std::move(clock)),
      space_(std::move(space)) {}

Result<std::unique_ptr<Holding>> Holding::create(const std::string& folder, const std::string& name,
                                                 const base::Key& vault_seed, Clock clock, const Surroundings& around) {
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return base::fail(Error::from_errno("cannot create " + folder, errno));
  }
  auto store = KURA_TRY(open_objects(folder, around, /*create=*/true));
  KURA_TRY(must_be_empty(*store));
  auto journal = KURA_TRY(Journal::create(journal_of(folder), vault_seed, name, clock()));
  std::unique_ptr<Holding> holding(
      new Holding(folder, std::move(store), std::move(journal), std::move(clock), around.space));
  KURA_TRY(holding->load(around));
  return holding;
}

Result<std::unique_ptr<Holding>> Holding::open(const std::string& folder, const base::Key& vault_seed, Clock clock,
                                               const Surroundings& around) {
  auto journal = KURA_TRY(Journal::open(journal_of(folder), vault_seed));
  auto store = KURA_TRY(open_objects(folder, around, /*create=*/false));
  std::unique_ptr<Holding> holding(
      new Holding(folder, std::move(store), std::move(journal), std::move(clock), around.space));
  KURA_TRY(holding->load(around));
  return holding;
}

Status Holding::load(const Surroundings& around) {
  const base::Bytes first = KURA_TRY(journal_->read(1, 0));
  derived_ = std::make_unique<Derived>(around.database, name(), hash_of(first));
  const base::MutexLock lock(mutex_);
  KURA_TRY(journal_->for_each([this](const Entry& entry, base::ByteSpan whole)
                                  KURA_REQUIRES(mutex_) { take(entry, whole); }));
  for (const ObjectInfo& pack : KURA_TRY(store_->list(Kind::kPack))) packs_.emplace(pack.id, pack);
  KURA_TRY(load_sizes());
  if (config_id_.is_zero()) return {};
  // Without its config nothing comes in and nothing goes; but it is served, so that another vault can put it right.
  const Status loaded = load_config(config_id_);
  const bool is_damage =
      !loaded && (loaded.error().code() == ErrorCode::kDamaged || loaded.error().code() == ErrorCode::kNotFound);
  return is_damage ? Status{} : loaded;
}

// Leases come and go, and are few.
Status Holding::load_sizes() {
  std::uint64_t used = 0;
  for (const auto& [id, info] : packs_) used += info.size;
  for (const Kind kind : {Kind::kConfig, Kind::kKey, Kind::kIndex, Kind::kSnapshot, Kind::kParity}) {
    for (const ObjectInfo& info : KURA_TRY(store_->list(kind))) {
      // A crash between the journal and the removal left it, or a lock.
      const bool is_gone = kind == Kind::kSnapshot && gone_.contains(info.id);
      if (is_gone) leftovers_.insert(info.id);
      if (!is_gone) used += info.size;
    }
  }
  space_->set_used(name(), used);
  space_->set_quota(name(), policy_.quota, policy_.customer);
  return {};
}

// Only what the journal says; objects are looked at when they are needed.
void Holding::take(const Entry& entry, base::ByteSpan whole) {
  const Event& event = entry.event;
  requests_.take(entry, event.type == EventType::kDeleteRequest ? hash_of(whole) : base::Digest{});
  switch (event.type) {
    case EventType::kObject:
      if (event.kind == Kind::kConfig && event.objects.size() == 1) config_id_ = event.objects[0];
      if (event.kind == Kind::kKey) keys_.insert(event.objects.begin(), event.objects.end());
      break;
    case EventType::kCommit:
      take_commit(entry);
      break;
    case EventType::kExpire:
    case EventType::kDelete:
      ++removals_;
      for (const ObjectId& id : event.objects) {
        snapshots_.erase(id);
        damage_.erase(id);
        copies_.forget(id);
        gone_.emplace(id, entry.sequence);
      }
      break;
    case EventType::kCollect:
      ++removals_;
      for (const ObjectId& id : event.objects) {
        barred_.erase(id);
        damage_.erase(id);
      }
      break;
    case EventType::kRepair:
      for (const ObjectId& id : event.objects) damage_.erase(id);
      if (!event.who.empty()) repaired_ += event.objects.size();
      break;
    case EventType::kAlarm:
      for (const ObjectId& id : event.objects) damage_[id] = {.kind = event.kind, .id = id, .what = event.text};
      break;
    case EventType::kBarrier:
      barred_.insert(event.objects.begin(), event.objects.end());
      break;
    case EventType::kFreeze:
      frozen_ = true;
      break;
    case EventType::kThaw:
      take_thaw(event);
      break;
    case EventType::kPolicy:
      take_policy(event);
      break;
    case EventType::kCopy:
      copies_.take(event);
      break;
    default:
      break;
  }
}

// One with a text is suspect, and that froze the repository.
void Holding::take_commit(const Entry& entry) {
  const Event& event = entry.event;
  if (event.objects.size() != 1) return;
  snapshots_[event.objects[0]] = {.id = event.objects[0],
                                  .size = event.bytes,
                                  .received = entry.time,
                                  .sequence = entry.sequence,
                                  .machine = event.key,
                                  .number = event.number,
                                  .series = event.series,
                                  .started = event.from,
                                  .needed = event.needed,
                                  .suspicion = event.text};
  if (!event.text.empty()) {
    frozen_ = true;
    return;
  }
  std::vector<Change>& changes = changes_[{event.key, event.series}];
  if (changes.size() == kTripwireHistory) changes.erase(changes.begin());
  changes.push_back(
      {.before = event.needed - event.added + event.dropped, .added = event.added, .dropped = event.dropped});
}

// What is known follows from the journal, now as after a restart.
Result<Receipt> Holding::write(Event event) {
  Receipt receipt = KURA_TRY(journal_->append(std::move(event), now()));
  const Entry entry = KURA_TRY(Entry::decode(receipt.entry));
  const base::MutexLock lock(mutex_);
  take(entry, receipt.entry);
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

Error Holding::not_here(Kind kind, const ObjectId& id) const {
  return {ErrorCode::kNotFound,
          fmt::format("{} {} is not in the repository {}", store::name_of(kind), id.hex(), name())};
}

Result<ObjectInfo> Holding::stat(Kind kind, const ObjectId& id) const {
  if (kind == Kind::kSnapshot) {
    const base::MutexLock lock(mutex_);
    const auto at = snapshots_.find(id);
    if (at == snapshots_.end()) return base::fail(not_here(kind, id));
    return ObjectInfo{.id = id, .size = at->second.size, .received = at->second.received};
  }
  if (kind == Kind::kPack) {
    const base::MutexLock lock(mutex_);
    const auto at = packs_.find(id);
    if (at == packs_.end()) return base::fail(not_here(kind, id));
    return at->second;
  }
  if (kind == Kind::kConfig) {
    const base::MutexLock lock(mutex_);
    if (!config_ || id != config_id_) return base::fail(not_here(kind, id));
  }
  Result<ObjectInfo> info = store_->stat(kind, id);
  if (!info && info.error().code() == ErrorCode::kNotFound) return base::fail(not_here(kind, id));
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
    for (const auto& [id, info] : packs_) {
      found.push_back(info);
      found.back().barred = barred_.contains(id);
    }
    return found;
  }
  found = KURA_TRY(store_->list(kind));
  if (kind == Kind::kConfig) {
    const base::MutexLock lock(mutex_);
    std::erase_if(found,
                  [&](const ObjectInfo& info) KURA_REQUIRES(mutex_) { return !config_ || info.id != config_id_; });
  }
  return found;
}

Status Holding::read_at(Kind kind, const ObjectId& id, std::uint64_t offset, base::MutableByteSpan out) const {
  return store_->read_at(kind, id, offset, out);
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
