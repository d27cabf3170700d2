#include "archive/parity/survey.h"

#include <algorithm>
#include <array>
#include <limits>

#include "archive/parity/group_shape.h"
#include "archive/repo/lease.h"

namespace kura::archive {
namespace {

using base::Result;
using store::Kind;
using store::ObjectInfo;

constexpr std::array kCovered = {Kind::kConfig, Kind::kKey, Kind::kPack, Kind::kIndex, Kind::kSnapshot};

// When the oldest backup or copy that is still running began.
Result<std::int64_t> left_to_others(store::Store& store, bool may_write) {
  std::int64_t since = std::numeric_limits<std::int64_t>::max();
  const auto now = store.now();
  if (!now && !may_write) return since;
  for (const LiveLease& lease : KURA_TRY(live_leases(store, KURA_TRY(now), /*remove_lapsed=*/false))) {
    if (lease.purpose != LeasePurpose::kRead) since = std::min(since, lease.start - store.clock_error());
  }
  return since;
}

// Its shards cover less than half of what shards of their length can.
bool is_poor(const ParitySurvey& survey, const ParityGroup& group, const ParityPolicy& policy) {
  const GroupForm form = is_of_small(group) ? small_groups(policy) : pack_groups(policy);
  std::uint64_t data = 0;
  for (const auto& column : group.columns) {
    for (const ParityMember& member : column) {
      data += survey.there.contains({member.kind, member.id}) ? member.size : 0;
    }
  }
  return 2 * data < std::max(group.length(), form.free_length) * form.columns;
}

// It is damaged, or a snapshot needs it and it is gone. Of snapshots and keys that are gone nobody can tell whether
// they were taken away.
bool is_wound(const ParitySurvey& survey, const ParityMember& member) {
  const auto at = survey.there.find({member.kind, member.id});
  if (at != survey.there.end()) return at->second.size != member.size;
  if (member.kind == Kind::kIndex) return survey.needs.indexes.contains(member.id);
  return member.kind == Kind::kConfig || (member.kind == Kind::kPack && survey.needs.packs.contains(member.id));
}

}  // namespace

// The parity first: what it covers and is not there afterwards was removed, or lost.
Result<ParitySurvey> survey_parity(const Repository& repository, bool may_write, const std::stop_token& stop) {
  store::Store& store = repository.store();
  ParitySurvey survey;
  survey.parity = KURA_TRY(read_parity(store, stop));
  survey.others_since = KURA_TRY(left_to_others(store, may_write));
  for (const Kind kind : kCovered) {
    for (const ObjectInfo& info : KURA_TRY(store.list(kind))) survey.there.emplace(ObjectName{kind, info.id}, info);
  }
  ClearIndexes indexes(repository);
  survey.needs = KURA_TRY(read_needs(repository, indexes));
  return survey;
}

GroupFate judge_group(const ParitySurvey& survey, const StoredGroup& group, const ParityPolicy& policy,
                      const std::vector<store::ObjectId>& damaged) {
  bool some_gone = false;
  for (const auto& column : group.group.columns) {
    for (const ParityMember& member : column) {
      if (is_wound(survey, member)) return GroupFate::kWounded;
      some_gone = some_gone || !survey.there.contains({member.kind, member.id});
    }
  }
  const bool bad_shards = std::ranges::any_of(group.shards, [&](const auto& shard) {
    return !shard || std::ranges::find(damaged, shard->id) != damaged.end();
  });
  if (bad_shards || group.shards.size() != policy.shards) return GroupFate::kDissolved;
  // In a single column nothing that is gone weakens what is there.
  if (some_gone && !is_of_small(group.group)) return GroupFate::kDissolved;
  return is_poor(survey, group.group, policy) ? GroupFate::kPoor : GroupFate::kKept;
}

}  // namespace kura::archive
