#include "archive/parity/maintenance.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>
#include <utility>

#include "archive/parity/group_shape.h"
#include "archive/parity/shard_builder.h"
#include "archive/parity/survey.h"
#include "archive/repo/loss.h"

namespace kura::archive {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;
using store::Kind;
using store::ObjectId;
using Groups = std::vector<const StoredGroup*>;

bool all_members(const ParityGroup& group, const std::function<bool(const ObjectName&)>& holds) {
  return std::ranges::all_of(group.columns, [&](const auto& column) {
    return std::ranges::all_of(column, [&](const ParityMember& member) { return holds({member.kind, member.id}); });
  });
}

void add_members(const ParityGroup& group, std::set<ObjectName>& names) {
  for (const auto& column : group.columns) {
    for (const ParityMember& member : column) names.insert({member.kind, member.id});
  }
}

class Maintainer {
 public:
  Maintainer(const Repository& repository, const MaintenanceOptions& options, const std::stop_token& stop)
      : store_(repository.store()),
        policy_(*repository.config().parity),
        options_(options),
        stop_(stop),
        repository_(repository) {}

  Result<MaintenanceSummary> run();

 private:
  // Those that have to go, or may: of packs, or of small objects.
  struct Leaving {
    Groups dissolved, poor;
  };
  void leave_spare_groups(Groups& groups);
  Status regroup(bool small, const Leaving& leaving);
  std::vector<ParityMember> members_without_group(bool small, const std::set<ObjectName>& of_poor,
                                                  bool with_poor) const;
  static bool gains(const std::vector<ParityGroup>& merged, const std::vector<ParityGroup>& apart, const Groups& poor,
                    bool small);
  Status put_groups(const std::vector<ParityGroup>& groups);
  Status put_group(ParityGroup group);
  Status store_group(const ParityGroup& group, const BuiltGroup& built);
  Status drop_unreadable(ParityGroup& group);
  void count(const ParityGroup& group, std::uint64_t bytes_written);
  Status remove_shards();

  store::Store& store_;
  const ParityPolicy policy_;
  const MaintenanceOptions& options_;
  const std::stop_token& stop_;
  const Repository& repository_;
  ParitySurvey survey_;
  std::set<ObjectName> covered_;  // by groups that are well
  std::set<ObjectId> put_;  // shards; some may have been there, where a run was cut off before it removed the old ones
  std::set<ObjectName> wounded_;  // in groups that have to be repaired: nobody else covers them until then
  Groups leaving_;
  MaintenanceSummary summary_;
};

// Twice covered, by runs that crossed each other or a twin's copy: one is enough.
void Maintainer::leave_spare_groups(Groups& groups) {
  std::erase_if(groups, [&](const StoredGroup* group) {
    const bool is_spare = all_members(
        group->group, [&](const ObjectName& name) { return covered_.contains(name) || !survey_.there.contains(name); });
    if (is_spare) leaving_.push_back(group);
    return is_spare;
  });
}

std::vector<ParityMember> Maintainer::members_without_group(bool small, const std::set<ObjectName>& of_poor,
                                                            bool with_poor) const {
  std::vector<ParityMember> members;
  for (const auto& [name, info] : survey_.there) {
    if ((name.kind != Kind::kPack) != small || info.size == 0 || covered_.contains(name)) continue;
    const bool is_of_poor = of_poor.contains(name);
    if (is_of_poor && !with_poor) continue;
    // Of what a running backup has just stored it will take care itself.
    if (!is_of_poor && (wounded_.contains(name) || info.received >= survey_.others_since)) continue;
    members.push_back({.kind = name.kind, .id = name.id, .size = info.size});
  }
  return members;
}

// Reading and writing packs again must be worth it: a quarter less parity. Small objects cost next to nothing, and are
// kept in few groups.
bool Maintainer::gains(const std::vector<ParityGroup>& merged, const std::vector<ParityGroup>& apart,
                       const Groups& poor, bool small) {
  if (small) return poor.size() + apart.size() >= 2;
  std::uint64_t now = shard_bytes(apart);
  for (const StoredGroup* group : poor) now += shard_bytes({&group->group, 1});
  return 4 * shard_bytes(merged) <= 3 * now;
}

Status Maintainer::regroup(bool small, const Leaving& leaving) {
  const GroupForm form = small ? small_groups(policy_) : pack_groups(policy_);
  std::set<ObjectName> of_poor;
  for (const StoredGroup* group : leaving.poor) add_members(group->group, of_poor);
  const auto plan = [&](bool with_poor) { return plan_groups(form, members_without_group(small, of_poor, with_poor)); };
  std::vector<ParityGroup> groups = plan(/*with_poor=*/false);
  std::vector<ParityGroup> merged = plan(/*with_poor=*/true);
  if (!leaving.poor.empty() && gains(merged, groups, leaving.poor, small)) {
    groups = std::move(merged);
    std::ranges::copy(leaving.poor, std::back_inserter(leaving_));
  } else {
    covered_.merge(of_poor);
  }
  std::ranges::copy(leaving.dissolved, std::back_inserter(leaving_));
  return put_groups(groups);
}

Status Maintainer::put_groups(const std::vector<ParityGroup>& groups) {
  for (const ParityGroup& group : groups) {
    KURA_TRY(base::not_stopped(stop_));
    if (options_.dry_run) {
      count(group, shard_bytes({&group, 1}));
    } else {
      KURA_TRY(put_group(group));
    }
  }
  return {};
}

// Without those objects that cannot be read whole.
Status Maintainer::put_group(ParityGroup group) {
  const Result<BuiltGroup> built = build_group(store_, group);
  if (built) return store_group(group, *built);
  if (!is_loss(store_, built.error())) return base::fail(built.error());
  KURA_TRY(drop_unreadable(group));
  if (group.columns.empty()) return {};
  return store_group(group, KURA_TRY(build_group(store_, group)));
}

Status Maintainer::store_group(const ParityGroup& group, const BuiltGroup& built) {
  KURA_TRY(store_shards(store_, built.shards));
  for (const BuiltShard& shard : built.shards) put_.insert(shard.id);
  count(group, built.stored_bytes());
  return {};
}

Status Maintainer::drop_unreadable(ParityGroup& group) {
  for (auto& column : group.columns) {
    std::vector<ParityMember> whole;
    for (const ParityMember& member : column) {
      const auto bytes = store_.get(member.kind, member.id, member.size);
      if (!bytes && !is_loss(store_, bytes.error())) return base::fail(bytes.error());
      if (bytes) whole.push_back(member);
    }
    summary_.objects_left += column.size() - whole.size();
    column = std::move(whole);
  }
  std::erase_if(group.columns, [](const auto& column) { return column.empty(); });
  return {};
}

void Maintainer::count(const ParityGroup& group, std::uint64_t bytes_written) {
  add_members(group, covered_);
  for (const auto& column : group.columns) summary_.objects_covered += column.size();
  summary_.bytes_read += group.data_size();
  summary_.shards_written += group.shards;
  summary_.bytes_written += bytes_written;
}

// Of groups whose objects are all in others by now, or gone.
Status Maintainer::remove_shards() {
  KURA_TRY(store_.sync());
  std::vector<ObjectId> shards;
  for (const StoredGroup* group : leaving_) {
    const bool is_needed = !all_members(
        group->group, [&](const ObjectName& name) { return covered_.contains(name) || !survey_.there.contains(name); });
    if (is_needed) continue;
    for (const auto& shard : group->shards) {
      if (shard && !put_.contains(shard->id)) shards.push_back(shard->id);
    }
  }
  // What nobody can tell the group of covers nothing. One that merely cannot be read now, or is a newer program's, is
  // left alone.
  for (const DamagedObject& at : survey_.parity.damaged) {
    if (at.error.code() == ErrorCode::kDamaged) shards.push_back(at.id);
  }
  for (const ObjectId& shard : shards) {
    KURA_TRY(base::not_stopped(stop_));
    if (!options_.dry_run) KURA_TRY(store_.remove(Kind::kParity, shard));
    ++summary_.shards_removed;
  }
  return store_.sync();
}

Result<MaintenanceSummary> Maintainer::run() {
  survey_ = KURA_TRY(survey_parity(repository_, /*may_write=*/!options_.dry_run, stop_));
  Leaving leaving[2];  // of packs, and of small objects
  for (const StoredGroup& group : survey_.parity.groups) {
    Leaving& those = leaving[is_of_small(group.group)];
    switch (judge_group(survey_, group, policy_, options_.damaged)) {
      case GroupFate::kKept:
        add_members(group.group, covered_);
        break;
      case GroupFate::kWounded:
        add_members(group.group, wounded_);
        break;
      case GroupFate::kDissolved:
        those.dissolved.push_back(&group);
        break;
      case GroupFate::kPoor:
        those.poor.push_back(&group);
        break;
    }
  }
  for (const bool small : {false, true}) {
    leave_spare_groups(leaving[small].poor);
    KURA_TRY(regroup(small, leaving[small]));
  }
  KURA_TRY(remove_shards());
  return summary_;
}

}  // namespace

Result<MaintenanceSummary> maintain_parity(const Repository& repository, const MaintenanceOptions& options,
                                           const std::stop_token& stop) {
  if (!repository.config().parity) return MaintenanceSummary{};
  return Maintainer(repository, options, stop).run();
}

}  // namespace kura::archive
