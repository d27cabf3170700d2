#include "archive/restore/recovery_plan.h"

#include <algorithm>
#include <array>
#include <memory>

#include "archive/repo/chunk_index.h"
#include "archive/repo/tree.h"
#include "archive/restore/diff.h"
#include "detect/judge/names.h"

namespace kura::archive {
namespace {

using base::Result;
using base::Status;

bool is_broken(const Entry& entry) {
  return entry.type == EntryType::kFile && entry.judged && entry.judged->verdict == detect::Verdict::kBroken;
}

// A snapshot that is being read.
struct OpenSnapshot {
  ChunkIndex index;
  std::unique_ptr<PackReader> reader;  // of `index`, whose address stays
};

class Planner {
 public:
  Planner(const Repository& repository, std::string path, RecoveryPlan& plan, std::vector<DamagedObject>& damaged,
          const std::stop_token& stop)
      : repository_(repository), path_(std::move(path)), plan_(plan), damaged_(damaged), stop_(stop) {}

  Status run() {
    KURA_TRY(compare());
    match_renamed();
    for (const auto& [path, gone] : gone_) KURA_TRY(bring_back(path, Fate::kGone, &gone, nullptr));
    for (const auto& [path, entry] : came_) {
      if (!plan_.files.contains(path)) leave_out(path, entry);
    }
    return {};
  }

 private:
  // The tree of a snapshot; those that were opened stay so.
  Result<OpenSnapshot*> open(std::size_t number) {
    std::unique_ptr<OpenSnapshot>& opened = open_[number];
    if (!opened) {
      opened = std::make_unique<OpenSnapshot>();
      opened->index = KURA_TRY(load_index(repository_, plan_.snapshots[number], damaged_));
      opened->reader = std::make_unique<PackReader>(repository_, opened->index);
    }
    return opened.get();
  }

  const ContentRef& root(std::size_t number) const { return plan_.snapshots[number].snapshot.label->root; }

  Result<std::optional<Entry>> find(std::size_t number, const std::string& path) {
    OpenSnapshot* const snapshot = KURA_TRY(open(number));
    auto entry = find_entry(*snapshot->reader, root(number), path);
    if (entry) return std::optional(*std::move(entry));
    if (entry.error().code() == base::ErrorCode::kNotFound) return std::nullopt;
    return base::fail(std::move(entry).error());
  }

  bool is_wanted(const std::string& path) const {
    return path_ == "/" || path == path_ || path.starts_with(path_ + "/");
  }

  // All that is broken in the newest snapshot, and all that went and came since the clean one.
  Status compare() {
    KURA_TRY(walk(0, [&](const std::string& path, const Entry& entry) {
      if (is_broken(entry)) broken_.emplace(path, entry);
      ++plan_.files_kept;
    }));
    std::set<std::string> settled;
    if (plan_.clean != 0) KURA_TRY(compare_with_clean(settled));
    for (const auto& [path, entry] : broken_) {
      // Broken before the attack as after it: only what was whole once is looked for.
      if (!settled.contains(path) && entry.judged->turned) KURA_TRY(bring_back(path, Fate::kBack, nullptr, &entry));
    }
    return {};
  }

  Status compare_with_clean(std::set<std::string>& settled) {
    OpenSnapshot* const clean = KURA_TRY(open(plan_.clean));
    OpenSnapshot* const newest = KURA_TRY(open(0));
    return diff_trees(*clean->reader, root(plan_.clean), *newest->reader, root(0), "/",
                      [&](const Difference& difference) -> Status {
                        KURA_TRY(base::not_stopped(stop_));
                        return take(difference, settled);
                      });
  }

  Status take(const Difference& difference, std::set<std::string>& settled) {
    const std::string& path = difference.path;
    if (!is_wanted(path)) return {};
    const bool was_file = difference.before && difference.before->type == EntryType::kFile;
    if (was_file && !difference.after) gone_.emplace(path, *difference.before);
    if (!difference.after || !is_broken(*difference.after)) return {};
    settled.insert(path);
    if (was_file) return bring_back(path, Fate::kBack, &*difference.before, &*difference.after);
    came_.emplace(path, *difference.after);
    return {};
  }

  Status walk(std::size_t number, const std::function<void(const std::string&, const Entry&)>& on_file) {
    OpenSnapshot* const snapshot = KURA_TRY(open(number));
    const Entry start = KURA_TRY(find_entry(*snapshot->reader, root(number), path_));
    if (start.type == EntryType::kFile) {
      on_file(path_, start);
      return {};
    }
    KURA_TRY(walk_tree(
        *snapshot->reader, start, path_,
        [&](const std::string& path, const Entry& entry) -> Result<Visit> {
          KURA_TRY(base::not_stopped(stop_));
          if (entry.type == EntryType::kFile) on_file(path, entry);
          return Visit::kContinue;
        },
        [&](const std::string& path, const base::Error& error) {
          damaged_.push_back({.kind = store::Kind::kSnapshot,
                              .id = plan_.snapshots[number].id,
                              .error = base::Error(error).within(path)});
        }));
    return {};
  }

  // "report.docx.locked" came where "report.docx" went.
  void match_renamed() {
    for (const auto& [path, entry] : came_) {
      for (const std::string& before : detect::names_before(path)) {
        const auto gone = gone_.find(before);
        if (gone == gone_.end()) continue;
        broken_as_[before] = {path, entry};
        leave_out(path, entry);
        break;
      }
    }
  }

  void leave_out(const std::string& path, const Entry& entry) {
    add(path, {.fate = Fate::kLeftOut,
               .size = entry.size,
               .broken_mtime_seconds = entry.mtime_seconds,
               .broken_as = {},
               .evidence = entry.judged->evidence});
  }

  // `clean`: what the clean snapshot has of it, or null. `broken`: what the newest has, or null.
  Status bring_back(const std::string& path, Fate fate, const Entry* clean, const Entry* broken) {
    RecoveredFile file{.fate = fate, .broken_as = {}, .evidence = {}};
    if (const auto renamed = broken_as_.find(path); renamed != broken_as_.end()) {
      file.fate = Fate::kBack;
      file.broken_as = renamed->second.first;
      broken = &renamed->second.second;
    }
    if (broken != nullptr) {
      file.broken_mtime_seconds = broken->mtime_seconds;
      file.evidence = broken->judged->evidence;
    }
    std::optional<Entry> whole;
    if (clean != nullptr && !is_broken(*clean)) {
      whole = *clean;
      file.snapshot = plan_.clean;
    }
    for (std::size_t number = std::max<std::size_t>(plan_.clean, 1) + (clean != nullptr ? 1 : 0);
         !whole && number < plan_.snapshots.size(); ++number) {
      KURA_TRY(base::not_stopped(stop_));
      auto older = KURA_TRY(find(number, path));
      if (!older || older->type != EntryType::kFile || is_broken(*older)) continue;
      whole = std::move(older);
      file.snapshot = number;
    }
    if (whole) {
      file.size = whole->size;
      file.mtime_seconds = whole->mtime_seconds;
    } else {
      if (broken == nullptr || !file.broken_as.empty())
        return {};  // it never was whole, and there is nothing of it now
      file.fate = Fate::kLost;
      file.size = broken->size;
      file.mtime_seconds = broken->mtime_seconds;
    }
    add(path, std::move(file));
    return {};
  }

  void add(const std::string& path, RecoveredFile file) {
    if (file.fate != Fate::kGone && file.broken_as.empty() && plan_.files_kept > 0) --plan_.files_kept;
    plan_.files.insert_or_assign(path, std::move(file));
  }

  const Repository& repository_;
  const std::string path_;
  RecoveryPlan& plan_;
  std::vector<DamagedObject>& damaged_;
  const std::stop_token& stop_;
  std::map<std::size_t, std::unique_ptr<OpenSnapshot>> open_;
  std::map<std::string, Entry> broken_;  // in the newest snapshot
  std::map<std::string, Entry> gone_, came_;
  std::map<std::string, std::pair<std::string, Entry>> broken_as_;  // of what is gone
};

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
  const auto clean = std::ranges::find_if(plan.snapshots, [](const StoredSnapshot& stored) {
    return stored.snapshot.label->verdict == Verdict::kClean || stored.snapshot.label->verdict == Verdict::kUnjudged;
  });
  plan.has_clean = clean != plan.snapshots.end();
  plan.clean = plan.has_clean ? static_cast<std::size_t>(clean - plan.snapshots.begin()) : plan.snapshots.size() - 1;
  KURA_TRY(Planner(repository, request.path, plan, damaged, stop).run());
  return plan;
}

}  // namespace kura::archive
