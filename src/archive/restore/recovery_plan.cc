#include "archive/restore/recovery_plan.h"

#include <algorithm>
#include <array>
#include <optional>

#include "archive/restore/recovery_planner.h"

namespace kura::archive {
namespace {

using base::Result;

// The newest that is clean and has nothing of what a later one is called suspect or attacked for: the first files of a
// slow attack are in snapshots that were called clean, and the sums that rose with them tell so.
std::optional<std::size_t> find_clean_point(const std::vector<StoredSnapshot>& newest_first) {
  std::optional<std::size_t> newest;
  for (std::size_t number = 0; number < newest_first.size(); ++number) {
    const SnapshotLabel& label = *newest_first[number].snapshot.label;
    if (label.verdict != Verdict::kClean && label.verdict != Verdict::kUnjudged) continue;
    if ((number == 0 && label.verdict == Verdict::kClean) || label.suspicion.is_none()) return number;
    if (!newest) newest = number;
  }
  return newest;
}

}  // namespace

std::string_view name_of(Fate fate) {
  static constexpr std::array<std::string_view, 4> kNames = {"back", "gone", "lost", "left_out"};
  return kNames.at(static_cast<std::size_t>(fate));
}

bool RecoveryPlan::comes_from(std::size_t snapshot, const std::string& path, bool is_folder) const {
  if (snapshot == 0) {
    const auto found = files.find(path);
    return is_folder || found == files.end() || found->second.fate == Fate::kLost;
  }
  if (!is_folder) {
    const auto found = files.find(path);
    return found != files.end() && found->second.snapshot == snapshot;
  }
  const std::string below = path == "/" ? path : path + "/";
  for (auto at = files.lower_bound(below); at != files.end() && at->first.starts_with(below); ++at) {
    if (at->second.snapshot == snapshot) return true;
  }
  return false;
}

Result<RecoveryPlan> plan_recovery(const Repository& repository, const RecoveryRequest& request,
                                   std::vector<DamagedObject>& damaged, const std::stop_token& stop) {
  KURA_TRY(repository.need_recovery_secrets());
  RecoveryPlan plan;
  SnapshotList list = KURA_TRY(repository.snapshots());
  const Snapshot& newest = request.newest.snapshot;
  for (StoredSnapshot& stored : list.snapshots) {
    const Snapshot& snapshot = stored.snapshot;
    const bool is_of_it = snapshot.series == newest.series && snapshot.machine == newest.machine;
    if (is_of_it && snapshot.label && snapshot.number <= newest.number) plan.snapshots.push_back(std::move(stored));
  }
  std::ranges::sort(plan.snapshots, std::ranges::greater(),
                    [](const StoredSnapshot& stored) { return stored.snapshot.number; });
  damaged.insert(damaged.end(), list.damaged.begin(), list.damaged.end());
  if (plan.snapshots.empty()) return base::fail(base::ErrorCode::kWrongKey, "the snapshot's label is not open");
  const auto clean = find_clean_point(plan.snapshots);
  plan.has_clean = clean.has_value();
  plan.clean = clean.value_or(plan.snapshots.size() - 1);
  KURA_TRY(RecoveryPlanner(repository, request, plan, damaged, stop).run());
  return plan;
}

}  // namespace kura::archive
