#include "archive/restore/recovery_planner.h"

#include <algorithm>
#include <utility>

#include "archive/repo/tree.h"
#include "archive/restore/version_facts.h"

namespace kura::archive {
namespace {

using base::Result;
using base::Status;

// Backups before the clean point that are looked at once more.
constexpr std::size_t kLookedBack = 3;

}  // namespace

Status RecoveryPlanner::run() {
  KURA_TRY(plan_from_clean());
  while (KURA_TRY(find_earlier_attack())) KURA_TRY(plan_from_clean());
  add_all();
  return {};
}

Status RecoveryPlanner::plan_from_clean() {
  plan_.files_kept = 0;
  for (auto* const versions : {&whole_, &gone_}) versions->clear();
  for (auto* const entries : {&broken_, &made_}) entries->clear();
  came_.clear();
  only_renamed_.clear();
  KURA_TRY(read_newest());
  for (std::size_t older = 1; older <= plan_.clean; ++older) {
    KURA_TRY(compare(older));
    close_but_needed(older);
  }
  KURA_TRY(look_further_back());
  return match_renamed();
}

// Moves the clean point to before the oldest of the few backups in front of it that has a file of the attack's.
Result<bool> RecoveryPlanner::find_earlier_attack() {
  if (!second_look_ || plan_.clean == 0) return false;
  std::size_t earliest = plan_.clean;
  const std::size_t last = std::min(plan_.clean + kLookedBack, plan_.snapshots.size() - 1);
  for (std::size_t older = plan_.clean + 1; older <= last; ++older) {
    if (KURA_TRY(has_attack(older))) earliest = older;
    close_but_needed(older);
  }
  return std::exchange(plan_.clean, earliest) != earliest;
}

// Whether between `older` and the next something was broken that was called whole; or came under a name that only the
// attack gives where one went that it may have been, or under one that says nothing, and is what was made of that one.
Result<bool> RecoveryPlanner::has_attack(std::size_t older) {
  std::map<std::string, Entry> went, came;
  bool was_broken = false;
  KURA_TRY(compare_trees(older, [&](const Difference& difference) -> Status {
    const auto& [change, path, before, after] = difference;
    if (!after && is_whole(before)) went.emplace(path, *before);
    if (!before && after && after->type == EntryType::kFile) came.emplace(path, *after);
    was_broken = was_broken || !KURA_TRY(evidence_against(difference, older, older - 1)).empty();
    return {};
  }));
  if (was_broken || went.empty()) return was_broken;
  std::set<std::string> stems;
  HiddenFiles hidden;
  for (const auto& [path, before] : went) {
    stems.insert(without_extension(path));
    hidden.went(path, before.size);
  }
  for (const auto& [path, after] : came) {
    if (renamed_.has_its_name(path) && stems.contains(without_extension(path))) return true;
    const std::string* const was = hidden.before(path, after.size);
    if (was == nullptr) continue;
    const Difference made{Change::kContent, path, went.at(*was), after};
    if (!KURA_TRY(evidence_against(made, older, older - 1)).empty()) return true;
  }
  return false;
}

// ---- Reading ----

Result<RecoveryPlanner::OpenSnapshot*> RecoveryPlanner::open(std::size_t number) {
  std::unique_ptr<OpenSnapshot>& opened = open_[number];
  if (!opened) {
    opened = std::make_unique<OpenSnapshot>();
    opened->index = KURA_TRY(load_index(repository_, plan_.snapshots[number], damaged_));
    opened->reader = std::make_unique<PackReader>(repository_, opened->index);
  }
  return opened.get();
}

Result<std::optional<Entry>> RecoveryPlanner::find(std::size_t number, const std::string& path) {
  OpenSnapshot* const snapshot = KURA_TRY(open(number));
  auto entry = find_entry(*snapshot->reader, plan_.snapshots[number].snapshot.label->root, path);
  if (entry) return std::optional(*std::move(entry));
  if (entry.error().code() == base::ErrorCode::kNotFound) return std::nullopt;
  return base::fail(std::move(entry).error());
}

// Only the two at hand, the newest and the clean one stay open.
void RecoveryPlanner::close_but_needed(std::size_t older) {
  if (older > 1 && older - 1 != plan_.clean) open_.erase(older - 1);
}

bool RecoveryPlanner::is_wanted(const std::string& path) const {
  return path_ == "/" || path == path_ || path.starts_with(path_ + "/");
}

// All that is broken now.
Status RecoveryPlanner::read_newest() {
  const auto take_file = [&](const std::string& path, const Entry& entry) {
    if (entry.type != EntryType::kFile) return;
    if (is_broken(entry)) broken_.emplace(path, entry);
    ++plan_.files_kept;
  };
  const std::optional<Entry> start = KURA_TRY(find(0, path_));
  if (!start) return base::fail(base::ErrorCode::kNotFound, "the snapshot has no " + path_);
  take_file(path_, *start);
  if (start->type != EntryType::kFolder) return {};
  OpenSnapshot* const newest = KURA_TRY(open(0));
  return walk_tree(
      *newest->reader, *start, path_,
      [&](const std::string& path, const Entry& entry) -> Result<Visit> {
        KURA_TRY(base::not_stopped(stop_));
        take_file(path, entry);
        return Visit::kContinue;
      },
      [&](const std::string& path, const base::Error& error) {
        damaged_.push_back(
            {.kind = store::Kind::kSnapshot, .id = plan_.snapshots[0].id, .error = base::Error(error).within(path)});
      });
}

// Each version that was there since the clean point ended in one of these differences. The newest come first, so the
// first version of a path that is whole is the one.
Status RecoveryPlanner::compare(std::size_t older) {
  return compare_trees(older, [&](const Difference& difference) -> Status {
    take_came(difference, older - 1);
    std::string evidence = KURA_TRY(evidence_against(difference, older, older - 1));
    if (evidence.empty()) return take(difference, older);
    Difference unmasked = difference;
    KURA_TRY(unmask(unmasked, std::move(evidence)));
    return take(unmasked, older);
  });
}

Status RecoveryPlanner::compare_trees(std::size_t older, const std::function<Status(const Difference&)>& visit) {
  OpenSnapshot* const before = KURA_TRY(open(older));
  OpenSnapshot* const after = KURA_TRY(open(older - 1));
  const auto root = [&](std::size_t number) -> const ContentRef& {
    return plan_.snapshots[number].snapshot.label->root;
  };
  return diff_trees(*before->reader, root(older), *after->reader, root(older - 1), "/",
                    [&](const Difference& difference) -> Status {
                      KURA_TRY(base::not_stopped(stop_));
                      return is_wanted(difference.path) ? visit(difference) : Status();
                    });
}

// What both contents say against a version that its backup called whole, as was the one before it.
Result<std::string> RecoveryPlanner::evidence_against(const Difference& difference, std::size_t older,
                                                      std::size_t newer) {
  const auto& [change, path, before, after] = difference;
  if (!second_look_ || !is_whole(before) || !is_whole(after) || has_content_of(*before, *after)) return std::string();
  OpenSnapshot* const then = KURA_TRY(open(older));
  OpenSnapshot* const next = KURA_TRY(open(newer));
  return second_look_->compare({*then->reader, *before}, {*next->reader, *after}, path);
}

// It is broken after all, and so is whatever has these contents since.
Status RecoveryPlanner::unmask(Difference& difference, std::string evidence) {
  const std::string& path = difference.path;
  Entry& after = *difference.after;
  say_broken(after, std::move(evidence));
  const auto is_it = [&](const auto& version) {
    return version.first == path && has_content_of(version.second.entry, after);
  };
  std::erase_if(whole_, is_it);
  std::erase_if(gone_, is_it);
  const std::optional<Entry> now = KURA_TRY(find(0, path));
  if (now && has_content_of(*now, after)) broken_.insert_or_assign(path, after);
  return {};
}

Status RecoveryPlanner::take(const Difference& difference, std::size_t older) {
  const std::string& path = difference.path;
  // What is whole after it as before it is older than a version that was met already, or than the newest.
  if (is_whole(difference.after) || is_settled(path) || !KURA_TRY(was_usable(difference, older))) return {};
  if (broken_.contains(path)) {
    whole_.emplace(path, Version{older, *difference.before});
    return {};
  }
  const std::optional<Entry> now = KURA_TRY(find(0, path));
  if (!now || now->type != EntryType::kFile) gone_.emplace(path, Version{older, *difference.before});
  return {};
}

// Whole, or as little whole as it was at the clean point: that is no attack's work.
Result<bool> RecoveryPlanner::was_usable(const Difference& difference, std::size_t older) {
  if (is_whole(difference.before)) return true;
  const std::optional<Entry>& before = difference.before;
  if (!before || before->type != EntryType::kFile || before->judged->turned) return false;
  if (difference.after && has_content_of(*difference.after, *before)) return false;
  if (older == plan_.clean) return true;
  const std::optional<Entry> then = KURA_TRY(find(plan_.clean, difference.path));
  return then && has_content_of(*then, *before);
}

// What comes first is met last, and that is the time of it.
void RecoveryPlanner::take_came(const Difference& difference, std::size_t newer) {
  if (difference.before || !difference.after || difference.after->type != EntryType::kFile) return;
  came_.insert_or_assign(
      difference.path,
      CameFile{.number = newer, .size = difference.after->size, .is_broken = is_broken(*difference.after)});
}

// Broken at the clean point as now: only what was whole once is looked for.
Status RecoveryPlanner::look_further_back() {
  for (const auto& [path, entry] : broken_) {
    if (is_settled(path) || came_.contains(path) || !entry.judged->turned) continue;
    for (std::size_t number = std::max<std::size_t>(plan_.clean, 1); number < plan_.snapshots.size(); ++number) {
      KURA_TRY(base::not_stopped(stop_));
      std::optional<Entry> older = KURA_TRY(find(number, path));
      if (!is_whole(older)) continue;
      whole_.emplace(path, Version{number, *std::move(older)});
      break;
    }
  }
  return {};
}

}  // namespace kura::archive
