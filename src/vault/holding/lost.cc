#include "vault/holding/lost.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "vault/holding/limits.h"

namespace kura::vault {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;
using store::ObjectId;

}  // namespace

LostSearch::LostSearch(Holding& holding) : holding_(holding) { begin(); }

void LostSearch::begin() {
  removals_ = holding_.removals();
  snapshots_ = holding_.snapshots();
  left_.clear();
  needs_.clear();
  lost_indexes_.clear();
  lost_packs_.clear();
  sees_all_ = true;
}

Result<std::optional<std::uint64_t>> LostSearch::next() {
  if (is_through_) return std::optional<std::uint64_t>();
  std::uint64_t bytes = 0;
  if (!snapshots_.empty()) {
    bytes = read_snapshot(snapshots_.back().id);
    snapshots_.pop_back();
    if (snapshots_.empty()) {
      for (const auto& [index, needed] : needs_) left_.push_back(index);
    }
  } else if (!left_.empty()) {
    look_for_packs(left_.back());
    left_.pop_back();
  }
  if (!snapshots_.empty() || !left_.empty()) return std::optional(bytes);
  if (holding_.removals() != removals_) {
    begin();
    return std::optional(bytes);
  }
  is_through_ = true;
  KURA_TRY(tell());
  return std::optional(bytes);
}

std::uint64_t LostSearch::read_snapshot(const ObjectId& id) {
  const Result<base::Bytes> object = holding_.read(Kind::kSnapshot, id);
  const auto snapshot = object ? archive::Snapshot::decode(*object, nullptr) : base::fail(object.error());
  if (!snapshot) {
    sees_all_ = false;
    return 0;
  }
  for (const archive::NeededPacks& needed : snapshot->needs) {
    archive::NeededPacks& all = needs_[needed.index];
    all.index = needed.index;
    all.add(needed.bits);
  }
  return object->size();
}

void LostSearch::look_for_packs(const ObjectId& index) {
  Result<std::vector<ObjectId>> lost = holding_.lost_packs(needs_.at(index));
  if (lost) {
    lost_packs_.insert(lost_packs_.end(), lost->begin(), lost->end());
    return;
  }
  sees_all_ = false;
  if (lost.error().code() == ErrorCode::kNotFound) lost_indexes_.push_back(index);
}

Status LostSearch::tell() {
  std::vector<ObjectId> configs, keys;
  for (const auto& [kind, id] : holding_.config_and_keys()) {
    const auto here = holding_.stat(kind, id);
    if (here || here.error().code() != ErrorCode::kNotFound) continue;
    (kind == Kind::kConfig ? configs : keys).push_back(id);
  }
  KURA_TRY(holding_.found_lost(Kind::kConfig, std::move(configs), removals_, /*is_all=*/false));
  KURA_TRY(holding_.found_lost(Kind::kKey, std::move(keys), removals_, /*is_all=*/false));
  KURA_TRY(holding_.found_lost(Kind::kIndex, std::move(lost_indexes_), removals_, sees_all_));
  return holding_.found_lost(Kind::kPack, std::move(lost_packs_), removals_, sees_all_);
}

// The journal does not say when a key goes: none ever does.
std::vector<std::pair<Kind, ObjectId>> Holding::config_and_keys() const {
  const base::MutexLock lock(mutex_);
  std::vector<std::pair<Kind, ObjectId>> all;
  if (!config_id_.is_zero()) all.emplace_back(Kind::kConfig, config_id_);
  for (const ObjectId& key : keys_) all.emplace_back(Kind::kKey, key);
  return all;
}

std::uint64_t Holding::removals() const {
  const base::MutexLock lock(mutex_);
  return removals_;
}

// What is remembered of an index says nothing about its file.
Result<std::vector<ObjectId>> Holding::lost_packs(const archive::NeededPacks& needed) {
  KURA_TRY(stat(Kind::kIndex, needed.index));
  const PackList packs = KURA_TRY(packs_of(needed.index));
  if (!needed.fits(packs->size())) {
    return base::fail(ErrorCode::kDamaged,
                      fmt::format("snapshots need packs that index {} does not have", needed.index.hex()));
  }
  std::vector<ObjectId> lost;
  const base::MutexLock lock(mutex_);
  for (std::size_t k = 0; k < packs->size(); ++k) {
    if (needed.has(k) && !packs_.contains((*packs)[k].id)) lost.push_back((*packs)[k].id);
  }
  return lost;
}

bool Holding::is_lost(Kind kind, const ObjectId& id) const {
  const auto here = stat(kind, id);
  return !here && here.error().code() == ErrorCode::kNotFound;
}

Status Holding::found_lost(Kind kind, std::vector<ObjectId> lost, std::uint64_t removals, bool is_all) {
  const base::MutexLock one_at_a_time(committing_);
  if (this->removals() != removals) return {};
  if (is_all) KURA_TRY(forget_lost(kind, lost));
  std::erase_if(lost, [&](const ObjectId& id) { return is_damaged(kind, id) || !is_lost(kind, id); });
  std::ranges::sort(lost);
  const auto twice = std::ranges::unique(lost);  // several indexes may list it
  lost.erase(twice.begin(), twice.end());
  for (std::size_t begin = 0; begin < lost.size(); begin += kMostInEntry) {
    const std::size_t end = std::min(lost.size(), begin + kMostInEntry);
    const auto at = lost.begin();
    KURA_TRY(write({.type = EventType::kAlarm,
                    .text = "it is needed, and not in the store any more",
                    .kind = kind,
                    .objects = {at + static_cast<std::ptrdiff_t>(begin), at + static_cast<std::ptrdiff_t>(end)}}));
  }
  return {};
}

// What was lost and that nothing needs any more went in its way: as garbage.
Status Holding::forget_lost(Kind kind, const std::vector<ObjectId>& still_lost) {
  const std::unordered_set<ObjectId, base::DigestHash> still(still_lost.begin(), still_lost.end());
  std::vector<ObjectId> forgotten;
  for (const Damage& one : damage()) {
    const bool may_go = one.kind == kind && !still.contains(one.id) && forgotten.size() < kMostInEntry;
    if (may_go && is_lost(kind, one.id)) forgotten.push_back(one.id);
  }
  if (forgotten.empty()) return {};
  KURA_TRY(write({.type = EventType::kCollect, .kind = kind, .objects = std::move(forgotten)}));
  return {};
}

}  // namespace kura::vault
