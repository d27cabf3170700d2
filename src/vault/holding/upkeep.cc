// What goes from a vault, and why: people's decisions, retention, garbage collection.
#include <algorithm>
#include <utility>

#include "archive/format/limits.h"
#include "archive/format/snapshot.h"
#include "archive/upkeep/retention.h"
#include "vault/holding/holding.h"

namespace kura::vault {
namespace {

using base::Result;
using base::Status;
using store::Kind;
using store::ObjectId;
using store::ObjectInfo;
using Steady = std::chrono::steady_clock;
using Ids = std::unordered_set<ObjectId, base::DigestHash>;

constexpr std::size_t kMostInEntry = 100'000;  // ids: an entry has at most 16 MiB

// The union of what snapshots need of one index.
void add_bits(std::vector<std::uint8_t>& all, const std::vector<std::uint8_t>& bits) {
  all.resize(std::max(all.size(), bits.size()));
  for (std::size_t i = 0; i < bits.size(); ++i) all[i] |= bits[i];
}

}  // namespace

Status Holding::decide(Event event) {
  const base::MutexLock one_at_a_time(committing_);
  KURA_TRY(write(std::move(event)));
  return {};
}

// One that a newer version wrote and this one does not understand keeps everything.
void Holding::take_policy(const Event& event) {
  const auto policy = Policy::parse(event.text);
  policy_ = policy ? *policy : Policy{.keep = {}};
}

Status Holding::set_policy(const Policy& policy, const std::string& who) {
  return decide({.type = EventType::kPolicy, .who = who, .text = policy.text()});
}
Status Holding::freeze(const std::string& who, const std::string& why) {
  return decide({.type = EventType::kFreeze, .who = who, .text = why});
}
Status Holding::thaw(const std::string& who, const std::string& why) {
  return decide({.type = EventType::kThaw, .who = who, .text = why});
}

Policy Holding::policy() const {
  const base::MutexLock lock(mutex_);
  return policy_;
}
bool Holding::is_frozen() const {
  const base::MutexLock lock(mutex_);
  return frozen_;
}

Result<std::size_t> Holding::expire() {
  const base::MutexLock one_at_a_time(committing_);
  if (is_frozen()) return std::size_t{0};
  std::vector<archive::StoredSnapshot> stored;
  for (const HeldSnapshot& held : snapshots()) {
    archive::Snapshot snapshot;
    snapshot.machine = held.machine;
    snapshot.number = held.number;
    snapshot.series = held.series;
    snapshot.started = held.started;
    stored.push_back({.id = held.id, .received = held.received, .snapshot = std::move(snapshot)});
  }
  std::vector<ObjectId> gone;
  for (const archive::KeepDecision& decision : archive::decide(stored, policy().keep, now())) {
    if (!decision.keep) gone.push_back(decision.id);
  }
  if (gone.empty()) return std::size_t{0};
  // The journal first: what it says is gone stays gone, whatever a crash leaves of the objects.
  KURA_TRY(write({.type = EventType::kExpire, .kind = Kind::kSnapshot, .objects = gone}));
  KURA_TRY(remove_all(Kind::kSnapshot, gone));
  return gone.size();
}

Status Holding::remove_all(Kind kind, const std::vector<ObjectId>& ids) {
  for (const ObjectId& id : ids) KURA_TRY(store_->remove(kind, id));
  return store_->sync();
}

// The packs and indexes that the snapshots need.
Result<Ids> Holding::needed() {
  std::unordered_map<ObjectId, std::vector<std::uint8_t>, base::DigestHash> bits;
  for (const HeldSnapshot& held : snapshots()) {
    const base::Bytes object = KURA_TRY(store_->get(Kind::kSnapshot, held.id, archive::kSnapshotLimit));
    const archive::Snapshot snapshot = KURA_TRY(archive::Snapshot::decode(object, nullptr));
    for (const archive::NeededPacks& need : snapshot.needs) add_bits(bits[need.index], need.bits);
  }
  Ids needed;
  for (const auto& [index, all] : bits) {
    needed.insert(index);
    const std::vector<ObjectInfo> packs = KURA_TRY(packs_of(index));
    const archive::NeededPacks of_index{.index = index, .bits = all};
    for (std::size_t k = 0; k < packs.size(); ++k) {
      if (of_index.has(k)) needed.insert(packs[k].id);
    }
  }
  return needed;
}

// Those of `unneeded` for whom that has been so for `grace`.
std::vector<ObjectId> Holding::long_unneeded(const std::vector<ObjectId>& unneeded, Steady::duration grace) {
  const Steady::time_point now = Steady::now();
  std::vector<ObjectId> old;
  for (const ObjectId& id : unneeded) {
    const auto since = unneeded_since_.try_emplace(id, now).first->second;
    if (now - since >= grace && old.size() < kMostInEntry) old.push_back(id);
  }
  return old;
}

Result<Holding::Collected> Holding::collect(Steady::duration grace) {
  const base::MutexLock one_at_a_time(committing_);
  Collected collected;
  if (is_frozen()) return collected;
  const Ids wanted = KURA_TRY(needed());
  std::erase_if(unneeded_since_, [&](const auto& known) { return wanted.contains(known.first); });
  for (const Kind kind : {Kind::kIndex, Kind::kPack}) {
    std::vector<ObjectId> unneeded;
    std::unordered_map<ObjectId, std::uint64_t, base::DigestHash> sizes;
    for (const ObjectInfo& info : KURA_TRY(list(kind))) {
      if (wanted.contains(info.id)) continue;
      unneeded.push_back(info.id);
      sizes.emplace(info.id, info.size);
    }
    const std::vector<ObjectId> old = long_unneeded(unneeded, grace);
    if (old.empty()) continue;
    KURA_TRY(journal_->append({.type = EventType::kCollect, .kind = kind, .objects = old}, now()));
    {
      const base::MutexLock lock(mutex_);
      for (const ObjectId& id : old) {
        packs_.erase(id);
        indexes_.erase(id);
      }
    }
    for (const ObjectId& id : old) {
      unneeded_since_.erase(id);
      collected.bytes += sizes.at(id);
    }
    (kind == Kind::kPack ? collected.packs : collected.indexes) += old.size();
    KURA_TRY(remove_all(kind, old));
  }
  return collected;
}

}  // namespace kura::vault
