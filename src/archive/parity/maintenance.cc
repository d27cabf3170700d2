#include "archive/parity/maintenance.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "archive/parity/group_shape.h"
#include "archive/parity/shard_builder.h"
#include "archive/repo/lease.h"
#include "archive/repo/needs.h"

namespace kura::archive {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;
using store::ObjectId;
using store::ObjectInfo;
using Name = std::pair<Kind, ObjectId>;

constexpr std::array kCovered = {Kind::kConfig, Kind::kKey, Kind::kPack, Kind::kIndex, Kind::kSnapshot};

class Maintainer {
 public:
  Maintainer(const Repository& repository, const MaintenanceOptions& options, const std::stop_token& stop)
      : repository_(repository), store_(repository.store()), options_(options), stop_(stop) {}

  Result<MaintenanceSummary> run();

 private:
  // What becomes of a group.
  enum class Fate : std::uint8_t {
    kKept,       // all is well with it
    kWounded,    // something in it has to be repaired first
    kDissolved,  // objects in it are gone for good, or shards are
    kPoor,       // nothing is wrong with it, but its shards are long for what they cover
  };
  Status survey();
  Result<std::int64_t> left_to_others() const;
  Fate judge(const StoredGroup& group) const;
  bool is_poor(const ParityGroup& group) const;
  void cover(const StoredGroup& group);
  Status regroup(bool small, const std::vector<const StoredGroup*>& dissolved, std::vector<const StoredGroup*> poor);
  bool gains(const std::vector<ParityGroup>& merged, const std::vector<ParityGroup>& apart,
             const std::vector<const StoredGroup*>& poor, bool small) const;
  Status put_groups(const std::vector<ParityGroup>& groups);
  Result<std::optional<BuiltGroup>> build(const ParityGroup& group);
  Status put_group(ParityGroup group);
  Status remove_shards();

  const Repository& repository_;
  store::Store& store_;
  const MaintenanceOptions& options_;
  const std::stop_token& stop_;
  ParityPolicy policy_;
  ParityInventory parity_;
  std::map<Name, ObjectInfo> there_;  // what is to be covered
  std::set<Name> covered_;
  Needs needs_;
  std::int64_t others_since_ = 0;
  std::vector<const StoredGroup*> leaving_;
  MaintenanceSummary summary_;
};

// When the oldest backup or copy that is still running began: packs since then may be its own.
Result<std::int64_t> Maintainer::left_to_others() const {
  std::int64_t since = std::numeric_limits<std::int64_t>::max();
  const auto now = store_.now();
  if (!now && options_.dry_run) return since;
  for (const LiveLease& lease : KURA_TRY(live_leases(store_, KURA_TRY(now), /*remove_lapsed=*/false))) {
    if (lease.purpose != LeasePurpose::kRead) since = std::min(since, lease.start - store_.clock_error());
  }
  return since;
}

// The parity first: what it covers and is not there afterwards was removed, or lost.
Status Maintainer::survey() {
  parity_ = KURA_TRY(read_parity(store_, stop_));
  others_since_ = KURA_TRY(left_to_others());
  for (const Kind kind : kCovered) {
    for (const ObjectInfo& info : KURA_TRY(store_.list(kind))) {
      if (info.size > 0) there_.emplace(Name(kind, info.id), info);
    }
  }
  ClearIndexes indexes(repository_);
  needs_ = KURA_TRY(read_needs(repository_, indexes));
  return {};
}

Maintainer::Fate Maintainer::judge(const StoredGroup& group) const {
  bool some_gone = false;
  const bool is_small = group.group.columns.front().front().kind != Kind::kPack;
  for (const auto& column : group.group.columns) {
    for (const ParityMember& member : column) {
      const auto at = there_.find({member.kind, member.id});
      const bool is_there = at != there_.end();
      if (is_there && at->second.size != member.size) return Fate::kWounded;
      const auto& needed = member.kind == Kind::kIndex ? needs_.indexes : needs_.packs;
      if (!is_there && (member.kind == Kind::kConfig || needed.contains(member.id))) return Fate::kWounded;
      some_gone = some_gone || !is_there;
    }
  }
  const bool bad_shards = std::ranges::any_of(group.shards, [&](const auto& shard) {
    return !shard || std::ranges::find(options_.damaged, shard->id) != options_.damaged.end();
  });
  if (bad_shards || group.shards.size() != policy_.shards) return Fate::kDissolved;
  // In a single column nothing that is gone weakens what is there.
  if (some_gone && !is_small) return Fate::kDissolved;
  return is_poor(group.group) ? Fate::kPoor : Fate::kKept;
}

// Its shards cover less than half of what shards of their length can.
bool Maintainer::is_poor(const ParityGroup& group) const {
  const bool is_small = group.columns.front().front().kind != Kind::kPack;
  const GroupForm form = is_small ? small_groups(policy_) : pack_groups(policy_);
  std::uint64_t data = 0;
  for (const auto& column : group.columns) {
    for (const ParityMember& member : column) data += there_.contains({member.kind, member.id}) ? member.size : 0;
  }
  return 2 * data < std::max(group.length(), form.free_length) * form.columns;
}

void Maintainer::cover(const StoredGroup& group) {
  for (const auto& column : group.group.columns) {
    for (const ParityMember& member : column) covered_.emplace(member.kind, member.id);
  }
}

// Reading and writing packs again must be worth it: a quarter less parity. Small objects cost next to nothing, and are
// kept in few groups.
bool Maintainer::gains(const std::vector<ParityGroup>& merged, const std::vector<ParityGroup>& apart,
                       const std::vector<const StoredGroup*>& poor, bool small) const {
  if (small) return poor.size() + apart.size() >= 2;
  std::uint64_t now = shard_bytes(apart);
  for (const StoredGroup* group : poor) now += shard_bytes({&group->group, 1});
  return 4 * shard_bytes(merged) <= 3 * now;
}

Status Maintainer::regroup(bool small, const std::vector<const StoredGroup*>& dissolved,
                           std::vector<const StoredGroup*> poor) {
  const GroupForm form = small ? small_groups(policy_) : pack_groups(policy_);
  std::vector<ParityMember> bare;
  std::set<Name> of_poor;
  for (const StoredGroup* group : poor) {
    for (const auto& column : group->group.columns) {
      for (const ParityMember& member : column) of_poor.emplace(member.kind, member.id);
    }
  }
  std::vector<ParityMember> all;
  for (const auto& [name, info] : there_) {
    if ((name.first != Kind::kPack) != small || covered_.contains(name)) continue;
    const ParityMember member{.kind = name.first, .id = name.second, .size = info.size};
    const bool is_bare = !of_poor.contains(name);
    // Of what a running backup has just stored it will take care itself.
    if (is_bare && info.received >= others_since_) continue;
    all.push_back(member);
    if (is_bare) bare.push_back(member);
  }
  std::vector<ParityGroup> groups = plan_groups(form, bare);
  std::vector<ParityGroup> merged = plan_groups(form, all);
  if (!poor.empty() && gains(merged, groups, poor, small)) {
    groups = std::move(merged);
  } else {
    for (const StoredGroup* group : poor) cover(*group);
    poor.clear();
  }
  KURA_TRY(put_groups(groups));
  leaving_.insert(leaving_.end(), dissolved.begin(), dissolved.end());
  leaving_.insert(leaving_.end(), poor.begin(), poor.end());
  return {};
}

Status Maintainer::put_groups(const std::vector<ParityGroup>& groups) {
  for (const ParityGroup& group : groups) {
    KURA_TRY(base::not_stopped(stop_));
    if (options_.dry_run) {
      summary_.shards_written += group.shards;
      summary_.bytes_written += shard_bytes({&group, 1});
      continue;
    }
    KURA_TRY(put_group(group));
  }
  return {};
}

// Nothing when some of its objects cannot be read whole.
Result<std::optional<BuiltGroup>> Maintainer::build(const ParityGroup& group) {
  Result<BuiltGroup> built = build_group(store_, group);
  if (built) return std::optional<BuiltGroup>(*std::move(built));
  if (!is_loss(built.error())) return base::fail(std::move(built).error());
  return std::nullopt;
}

// Without those objects that cannot be read whole.
Status Maintainer::put_group(ParityGroup group) {
  std::optional<BuiltGroup> built = KURA_TRY(build(group));
  if (!built) {
    for (auto& column : group.columns) {
      std::erase_if(column, [&](const ParityMember& member) {
        if (store_.get(member.kind, member.id, member.size)) return false;
        ++summary_.objects_left;
        return true;
      });
    }
    std::erase_if(group.columns, [](const auto& column) { return column.empty(); });
    if (group.columns.empty()) return {};
    built.emplace(KURA_TRY(build_group(store_, group)));
  }
  KURA_TRY(store_shards(store_, built->shards));
  for (const auto& column : group.columns) {
    for (const ParityMember& member : column) {
      covered_.emplace(member.kind, member.id);
      ++summary_.objects_covered;
      summary_.bytes_read += member.size;
    }
  }
  summary_.shards_written += built->shards.size();
  summary_.bytes_written += built->stored_bytes();
  return {};
}

// Of groups whose objects are all in others by now, or gone.
Status Maintainer::remove_shards() {
  KURA_TRY(store_.sync());
  std::vector<ObjectId> shards;
  for (const StoredGroup* group : leaving_) {
    bool is_needed = false;
    for (const auto& column : group->group.columns) {
      for (const ParityMember& member : column) {
        const Name name(member.kind, member.id);
        is_needed = is_needed || (there_.contains(name) && !covered_.contains(name));
      }
    }
    if (is_needed) continue;
    for (const auto& shard : group->shards) {
      if (shard) shards.push_back(shard->id);
    }
  }
  // What nobody can tell the group of covers nothing.
  for (const DamagedObject& at : parity_.damaged) shards.push_back(at.id);
  for (const ObjectId& shard : shards) {
    KURA_TRY(base::not_stopped(stop_));
    if (!options_.dry_run) KURA_TRY(store_.remove(Kind::kParity, shard));
    ++summary_.shards_removed;
  }
  return store_.sync();
}

Result<MaintenanceSummary> Maintainer::run() {
  if (!repository_.config().parity) return summary_;
  policy_ = *repository_.config().parity;
  KURA_TRY(survey());
  std::vector<const StoredGroup*> dissolved[2], poor[2];  // of packs, and of small objects
  std::vector<const StoredGroup*> kept;
  for (const StoredGroup& group : parity_.groups) {
    const bool is_small = group.group.columns.front().front().kind != Kind::kPack;
    const Fate fate = judge(group);
    if (fate == Fate::kDissolved) {
      dissolved[is_small].push_back(&group);
    } else if (fate == Fate::kPoor) {
      poor[is_small].push_back(&group);
    } else {
      kept.push_back(&group);
    }
  }
  for (const StoredGroup* group : kept) cover(*group);
  // Twice covered, by runs that crossed each other or a twin's copy: one is enough.
  for (auto& groups : poor) {
    std::erase_if(groups, [&](const StoredGroup* group) {
      const bool is_spare = std::ranges::all_of(group->group.columns, [&](const auto& column) {
        return std::ranges::all_of(column, [&](const ParityMember& member) {
          const Name name(member.kind, member.id);
          return covered_.contains(name) || !there_.contains(name);
        });
      });
      if (is_spare) leaving_.push_back(group);
      return is_spare;
    });
  }
  for (const bool small : {false, true}) KURA_TRY(regroup(small, dissolved[small], poor[small]));
  if (!options_.dry_run || !leaving_.empty()) KURA_TRY(remove_shards());
  return summary_;
}

}  // namespace

Result<MaintenanceSummary> maintain_parity(const Repository& repository, const MaintenanceOptions& options,
                                           const std::stop_token& stop) {
  return Maintainer(repository, options, stop).run();
}

Coverage coverage_of(const ParityInventory& parity, const std::vector<ObjectInfo>& packs,
                     const std::vector<ObjectId>& damaged_packs, const std::vector<ObjectId>& damaged_shards) {
  const std::set<ObjectId> bad_packs(damaged_packs.begin(), damaged_packs.end());
  const std::set<ObjectId> bad_shards(damaged_shards.begin(), damaged_shards.end());
  std::set<ObjectId> there;
  for (const ObjectInfo& pack : packs) {
    if (!bad_packs.contains(pack.id)) there.insert(pack.id);
  }
  std::map<ObjectId, std::int64_t> spare;  // how many more losses the best group of a pack stands
  std::set<ObjectId> full;
  for (const StoredGroup& group : parity.groups) {
    const auto shards = std::ranges::count_if(
        group.shards, [&](const auto& shard) { return shard && !bad_shards.contains(shard->id); });
    const auto lost = std::ranges::count_if(group.group.columns, [&](const auto& column) {
      return std::ranges::any_of(
          column, [&](const ParityMember& member) { return member.kind == Kind::kPack && !there.contains(member.id); });
    });
    for (const auto& column : group.group.columns) {
      for (const ParityMember& member : column) {
        auto& best = spare.try_emplace(member.id, 0).first->second;
        best = std::max<std::int64_t>(best, shards - lost);
        if (shards - lost == std::ssize(group.shards)) full.insert(member.id);
      }
    }
  }
  Coverage coverage;
  for (const ObjectInfo& pack : packs) {
    const auto at = spare.find(pack.id);
    if (at == spare.end() || at->second <= 0) {
      ++coverage.packs_unprotected;
    } else if (!full.contains(pack.id)) {
      ++coverage.packs_weak;
    }
  }
  return coverage;
}

}  // namespace kura::archive
