#include "archive/parity/repair.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "archive/format/limits.h"
#include "archive/parity/group_reader.h"
#include "archive/parity/shard_builder.h"
#include "archive/repo/loss.h"
#include "base/parallel.h"

namespace kura::archive {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;
using store::ObjectId;

// By the first group that can.
Result<Recovered> recover(store::Store& store, const ParityInventory& parity, const ObjectName& object,
                          const std::stop_token& stop) {
  std::optional<Error> problem;
  for (const ParityInventory::Place& place : parity.places(object.kind, object.id)) {
    Result<GroupReader> reader = GroupReader::open(store, parity.groups[place.group]);
    Result<Recovered> recovered =
        reader ? reader->recover(place, stop) : Result<Recovered>(base::fail(std::move(reader).error()));
    if (recovered || recovered.error().code() != ErrorCode::kDamaged) return recovered;
    problem = std::move(recovered).error();
  }
  if (problem) return base::fail(*std::move(problem));
  return base::fail(ErrorCode::kDamaged, "no parity covers it");
}

// Only what is there, but damaged, is repaired of these kinds: `forget` and `key remove` take them away for good.
bool was_removed(store::Store& store, const ObjectName& object) {
  if (object.kind != Kind::kSnapshot && object.kind != Kind::kKey) return false;
  const auto there = store.stat(object.kind, object.id);
  return !there && there.error().code() == ErrorCode::kNotFound;
}

Status write(store::Store& store, const ObjectName& object, const base::Bytes& bytes) {
  const base::ByteSpan parts[] = {bytes};
  KURA_TRY(store.replace(object.kind, object.id, parts));
  return store.sync();
}

Error cannot_repair(const ObjectName& object, const Error& why) {
  return {ErrorCode::kDamaged,
          fmt::format("{} {} cannot be repaired: {}", store::name_of(object.kind), object.id.hex(), why.message()),
          "copy it back from another copy of the repository"};
}

bool has_member(const StoredGroup& group, const std::set<ObjectId>& ids) {
  return std::ranges::any_of(group.shards, [&](const auto& shard) { return shard && ids.contains(shard->id); });
}

}  // namespace

Result<std::vector<ObjectName>> repair_objects(store::Store& store, const ParityInventory& parity,
                                               std::span<const ObjectName> objects, const RepairOptions& options,
                                               const RepairHandler& on_outcome, const std::stop_token& stop) {
  std::vector<ObjectName> left;
  for (const ObjectName& object : objects) {
    KURA_TRY(base::not_stopped(stop));
    RepairOutcome outcome;
    outcome.object = object;
    const Result<Recovered> recovered = recover(store, parity, object, stop);
    if (was_removed(store, object)) continue;
    if (recovered) {
      outcome.size = recovered->bytes.size();
      outcome.blocks = recovered->blocks;
      outcome.blocks_lost = recovered->blocks_lost;
      if (!options.dry_run) KURA_TRY(write(store, object, recovered->bytes));
    } else {
      if (recovered.error().code() != ErrorCode::kDamaged) return base::fail(recovered.error());
      outcome.problem = cannot_repair(object, recovered.error());
      left.push_back(object);
    }
    if (on_outcome) on_outcome(outcome);
  }
  return left;
}

Result<std::vector<ObjectName>> damaged_small_objects(store::Store& store, const ParityInventory& parity,
                                                      const std::stop_token& stop) {
  const bool has_config = !KURA_TRY(store.list(Kind::kConfig)).empty();
  std::set<ObjectName> covered;
  for (const StoredGroup& group : parity.groups) {
    for (const auto& column : group.group.columns) {
      for (const ParityMember& member : column) {
        if (member.kind != Kind::kPack) covered.insert({member.kind, member.id});
      }
    }
  }
  const std::vector<ObjectName> names(covered.begin(), covered.end());
  std::vector<ObjectName> damaged;
  std::mutex mutex;  // guards damaged
  KURA_TRY(base::each_on_threads(names.size(), store.requests_at_once(), [&](std::size_t i) -> Status {
    KURA_TRY(base::not_stopped(stop));
    const Result<base::Bytes> bytes = store.get(names[i].kind, names[i].id, kPackLimit);
    if (bytes) return {};
    if (!is_loss(store, bytes.error())) return base::fail(bytes.error());
    const bool is_gone = bytes.error().code() == ErrorCode::kNotFound;
    if (is_gone && (names[i].kind != Kind::kConfig || has_config)) return {};
    const std::lock_guard lock(mutex);
    damaged.push_back(names[i]);
    return {};
  }));
  std::ranges::sort(damaged);
  return damaged;
}

Result<ShardRepair> repair_shards(store::Store& store, const ParityInventory& parity, std::span<const ObjectId> damaged,
                                  const RepairOptions& options, const RepairHandler& on_outcome,
                                  const std::stop_token& stop) {
  ShardRepair result;
  std::set<ObjectId> bad(damaged.begin(), damaged.end());
  for (const DamagedObject& at : parity.damaged) bad.insert(at.id);
  for (const StoredGroup& group : parity.groups) {
    if (group.has_all_shards() && !has_member(group, bad)) continue;
    KURA_TRY(base::not_stopped(stop));
    // A dry run makes them too: whether it can be done shows in no other way.
    const Result<BuiltGroup> built = build_group(store, group.group);
    if (!built) {
      // Some of its objects are gone, or damaged: maintenance.h puts the others into other groups.
      if (!is_loss(store, built.error())) return base::fail(built.error());
      continue;
    }
    for (std::size_t i = 0; i < built->shards.size(); ++i) {
      const BuiltShard& shard = built->shards[i];
      const bool is_there = group.shards[i] && group.shards[i]->id == shard.id && !bad.contains(shard.id);
      if (is_there) continue;
      if (!options.dry_run) KURA_TRY(store.replace(Kind::kParity, shard.id, shard.parts()));
      ++result.shards;
      result.bytes += shard.size();
      bad.erase(shard.id);
      const std::uint64_t blocks = group.group.blocks(group.group.length());
      if (on_outcome) {
        on_outcome({.object = {Kind::kParity, shard.id},
                    .size = shard.size(),
                    .blocks = blocks,
                    .blocks_lost = blocks,
                    .problem = std::nullopt});
      }
    }
    if (!options.dry_run) KURA_TRY(store.sync());
  }
  result.left.assign(bad.begin(), bad.end());
  return result;
}

}  // namespace kura::archive
