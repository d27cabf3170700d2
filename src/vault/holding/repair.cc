// What scrubbing finds, and how it is put right.
#include "crypto/hash.h"
#include "vault/holding/holding.h"
#include "vault/holding/limits.h"

namespace kura::vault {

using base::ErrorCode;
using base::Status;
using store::Kind;
using store::ObjectId;

Status Holding::verify(Kind kind, const ObjectId& id, std::uint64_t size) const {
  return store_->verify(kind, id, size);
}

// Once, however often it is found.
Status Holding::found_damaged(Kind kind, const ObjectId& id, const std::string& what) {
  {
    const base::MutexLock lock(mutex_);
    if (damage_.contains(id)) return {};
  }
  return decide({.type = EventType::kAlarm, .text = what.substr(0, kTextLimit), .kind = kind, .objects = {id}});
}

// It was damaged, and is so no more: a disk that could not be read for a while, or somebody has put it right.
Status Holding::found_whole(Kind kind, const ObjectId& id) {
  {
    const base::MutexLock lock(mutex_);
    if (!damage_.contains(id)) return {};
  }
  return decide({.type = EventType::kRepair, .text = "found whole again", .kind = kind, .objects = {id}});
}

bool Holding::is_damaged(Kind kind, const ObjectId& id) const {
  const base::MutexLock lock(mutex_);
  const auto at = damage_.find(id);
  return at != damage_.end() && at->second.kind == kind;
}

// What lies in the store without being here, such as a snapshot that went, is nobody's.
base::Result<base::Bytes> Holding::read(Kind kind, const ObjectId& id) const {
  KURA_TRY(stat(kind, id));
  return store_->get(kind, id, limit_of(kind));
}

std::uint64_t Holding::repaired() const {
  const base::MutexLock lock(mutex_);
  return repaired_;
}

// `counted`: its bytes that count as used already. One that is no pack and was lost while the vault ran counts twice
// until the next start.
void Holding::count_again(Kind kind, const ObjectId& id, std::uint64_t size, std::uint64_t counted) {
  space_->released(name(), counted);
  space_->came_back(name(), size);
  const base::MutexLock lock(mutex_);
  if (kind == Kind::kPack) packs_.insert_or_assign(id, store::ObjectInfo{.id = id, .size = size, .received = now()});
  // What leans on them is known to be right again; others that are damaged still are told as such.
  if (kind != Kind::kConfig && kind != Kind::kKey) return;
  [[maybe_unused]] const Status loaded = load_config(config_id_);
}

std::vector<Damage> Holding::damage() const {
  const base::MutexLock lock(mutex_);
  std::vector<Damage> all;
  for (const auto& [id, damage] : damage_) all.push_back(damage);
  return all;
}

Status Holding::repair(Kind kind, const ObjectId& id, base::ByteSpan object, const std::string& from) {
  const base::MutexLock one_at_a_time(committing_);
  if (!is_damaged(kind, id)) {
    return base::fail(ErrorCode::kUsage, "only what scrubbing found damaged is repaired");
  }
  if (crypto::sha256(object) != id) return base::fail(store::upload_is_not_as_announced(kind, id));
  const base::Result<store::ObjectInfo> there = kind == Kind::kPack ? stat(kind, id) : store_->stat(kind, id);
  const base::ByteSpan parts[] = {object};
  KURA_TRY(store_->replace(kind, id, parts));
  KURA_TRY(store_->sync());
  count_again(kind, id, object.size(), there ? there->size : 0);
  KURA_TRY(write({.type = EventType::kRepair, .who = from, .kind = kind, .objects = {id}, .bytes = object.size()}));
  return {};
}

void Holding::scrubbed(std::int64_t time) {
  const base::MutexLock lock(mutex_);
  last_scrubbed_ = time;
}

std::int64_t Holding::last_scrubbed() const {
  const base::MutexLock lock(mutex_);
  return last_scrubbed_;
}

}  // namespace kura::vault
