#include "mount/volume.h"

#include <algorithm>
#include <utility>

namespace kura::mount {
namespace {

using archive::ChunkIndex;
using archive::DamagedObject;
using archive::StoredSnapshot;
using base::Result;
using store::ObjectId;

constexpr std::size_t kMostVolumes = 4;
// Of frames that many small chunks share; large chunks are kept by ChunkSource.
constexpr std::size_t kFrameCacheBytes = 16U << 20;

}  // namespace

Volumes::Volumes(const archive::Repository& repository, StoreWatch& watch, Troubles& troubles)
    : repository_(repository),
      watch_(watch),
      troubles_(troubles),
      frames_(std::make_shared<archive::FrameCache>(kFrameCacheBytes)) {}

Result<VolumePtr> Volumes::of(const StoredSnapshot& snapshot) {
  if (VolumePtr volume = known(snapshot.id)) return volume;
  IndexIds wanted;
  for (const archive::NeededPacks& needed : snapshot.snapshot.needs) wanted.insert(needed.index);
  if (VolumePtr volume = known(snapshot.id, wanted)) return volume;
  const std::lock_guard one_at_a_time(loading_);
  if (VolumePtr volume = known(snapshot.id, wanted)) return volume;
  return load(snapshot, wanted);
}

VolumePtr Volumes::known(const ObjectId& snapshot) {
  const auto kept = kept_.lock();
  const auto found = std::ranges::find_if(*kept, [&](const Kept& each) { return each.snapshots.contains(snapshot); });
  if (found == kept->end()) return nullptr;
  std::rotate(kept->begin(), found, found + 1);
  return kept->front().volume;
}

VolumePtr Volumes::known(const ObjectId& snapshot, const IndexIds& wanted) {
  const auto kept = kept_.lock();
  const auto found =
      std::ranges::find_if(*kept, [&](const Kept& each) { return std::ranges::includes(each.indexes, wanted); });
  if (found == kept->end()) return nullptr;
  found->snapshots.insert(snapshot);
  return found->volume;
}

Result<VolumePtr> Volumes::load(const StoredSnapshot& snapshot, const IndexIds& wanted) {
  KURA_TRY(watch_.is_worth_asking());
  if (kept_.lock()->size() >= kMostVolumes) {
    if (VolumePtr volume = load_all(snapshot.id, wanted)) return volume;
  }
  std::vector<DamagedObject> damaged;
  Result<ChunkIndex> index = archive::load_index(repository_, snapshot, damaged);
  if (!index) {
    KURA_TRY(watch_.is_there());
    return base::fail(std::move(index).error());
  }
  for (const DamagedObject& object : damaged) troubles_.met("", object.error);
  auto volume = std::make_shared<Volume>(repository_, *std::move(index), frames_);
  const auto kept = kept_.lock();
  kept->push_front({.indexes = wanted, .volume = volume, .snapshots = {snapshot.id}});
  if (kept->size() > kMostVolumes) kept->pop_back();
  return volume;
}

// In place of those that are kept. Null when it would not do for these indexes, because one of them is damaged.
VolumePtr Volumes::load_all(const ObjectId& snapshot, const IndexIds& wanted) {
  std::vector<DamagedObject> left_out;  // told when a snapshot that needs it is loaded by itself
  Result<ChunkIndex> index = archive::load_all_indexes(repository_, left_out);
  if (!index) return nullptr;
  IndexIds indexes(index->indexes().begin(), index->indexes().end());
  if (!std::ranges::includes(indexes, wanted)) return nullptr;
  index->set_partial();  // later ones may know other copies
  auto volume = std::make_shared<Volume>(repository_, *std::move(index), frames_);
  const auto kept = kept_.lock();
  kept->clear();
  kept->push_front({.indexes = std::move(indexes), .volume = volume, .snapshots = {snapshot}});
  return volume;
}

}  // namespace kura::mount
