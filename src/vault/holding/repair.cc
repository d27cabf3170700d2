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
  const base::Bytes object = KURA_TRY(store_->get(kind, id, limit_of(kind)));
  if (object.size() == size) return {};
  return base::fail(ErrorCode::kDamaged, "its size is not the one that it came in with");
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

std::vector<Damage> Holding::damage() const {
  const base::MutexLock lock(mutex_);
  std::vector<Damage> all;
  for (const auto& [id, damage] : damage_) all.push_back(damage);
  return all;
}

Status Holding::repair(Kind kind, const ObjectId& id, base::ByteSpan object, const std::string& from) {
  const base::MutexLock one_at_a_time(committing_);
  {
    const base::MutexLock lock(mutex_);
    const auto at = damage_.find(id);
    if (at == damage_.end() || at->second.kind != kind) {
      return base::fail(ErrorCode::kUsage, "only what scrubbing found damaged is repaired");
    }
  }
  if (crypto::sha256(object) != id) return base::fail(store::upload_is_not_as_announced(kind, id));
  const base::ByteSpan parts[] = {object};
  KURA_TRY(store_->replace(kind, id, parts));
  KURA_TRY(store_->sync());
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
