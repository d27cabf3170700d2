// The planner's second half: what was what, and what becomes of each file.
#include <algorithm>
#include <ranges>
#include <utility>

#include "archive/restore/recovery_planner.h"
#include "archive/restore/version_facts.h"
#include "detect/kinds/kinds.h"

namespace kura::archive {

using base::Status;

// ---- What was what ----

// What has the very contents of one that went is that one, whatever it looks like and whatever else has such a name.
// Neither is matched with anything else: `gone` loses the one, came_ the other.
Status RecoveryPlanner::find_only_renamed(std::map<std::string, GoneFileVersion>& gone) {
  std::multimap<std::uint64_t, const std::pair<const std::string, Version>*> sizes;
  for (const auto& went : gone_) sizes.emplace(went.second.entry.size, &went);
  for (const auto& [path, came] : came_) {
    const auto [first, last] = sizes.equal_range(came.size);
    if (first == last) continue;
    const std::optional<Entry> now = KURA_TRY(find(0, path));
    if (!now) continue;
    const std::string* was = nullptr;  // of several, the one whose name was only lengthened
    for (const auto& [size, went] : std::ranges::subrange(first, last)) {
      if (!has_content_of(*now, went->second.entry)) continue;
      const bool is_likelier = gone.contains(went->first) && (was == nullptr || path.starts_with(went->first));
      if (was == nullptr || is_likelier || !gone.contains(*was)) was = &went->first;
    }
    if (was == nullptr) continue;
    only_renamed_.insert(path);
    gone.erase(*was);
  }
  std::erase_if(came_, [&](const auto& file) { return only_renamed_.contains(file.first); });
  return {};
}

// What came under a name that says nothing, as long as one that went: is it what was made of that?
Status RecoveryPlanner::find_hidden(const std::map<std::string, GoneFileVersion>& gone) {
  if (!second_look_) return {};
  std::map<std::size_t, HiddenFiles> went;  // by the time of it
  for (const auto& [path, file] : gone) went[file.number].went(path, file.size);
  for (auto& [path, came] : came_) {
    const std::string* const was = came.is_broken ? nullptr : went[came.number].before(path, came.size);
    if (was == nullptr) continue;
    std::optional<Entry> now = KURA_TRY(find(0, path));
    if (!now) continue;
    const Version& before = gone_.at(*was);
    std::string evidence = KURA_TRY(evidence_against({Change::kContent, path, before.entry, *now}, before.snapshot, 0));
    if (evidence.empty()) continue;
    came.is_broken = true;
    say_broken(*now, std::move(evidence));
    broken_.insert_or_assign(path, *std::move(now));
  }
  return {};
}

Status RecoveryPlanner::match_renamed() {
  std::map<std::string, GoneFileVersion> gone;
  for (const auto& [path, version] : gone_) {
    gone.emplace(path, GoneFileVersion{.number = version.snapshot - 1, .size = version.entry.size});
  }
  // What was whole in between is somebody's own.
  std::erase_if(came_, [&](const auto& file) { return is_settled(file.first); });
  KURA_TRY(find_only_renamed(gone));
  KURA_TRY(find_hidden(gone));
  renamed_ = RenamedFiles(gone, came_);
  for (const auto& [before, now] : renamed_.now()) {
    std::optional<Entry> entry = KURA_TRY(find(0, now));
    // Only renamed: it is whole, and may be newer than what was backed up.
    if (!entry) continue;
    const Version& was = gone_.at(before);
    if (is_still(*entry, was.entry)) {
      std::string evidence = KURA_TRY(evidence_against({Change::kContent, now, was.entry, *entry}, was.snapshot, 0));
      if (evidence.empty()) {
        only_renamed_.insert(now);
        continue;
      }
      say_broken(*entry, std::move(evidence));
    }
    made_.emplace(now, *std::move(entry));
  }
  for (const auto& [path, came] : came_) {
    if (came.is_broken || only_renamed_.contains(path) || made_.contains(path) || !renamed_.has_its_name(path))
      continue;
    std::optional<Entry> entry = KURA_TRY(find(0, path));
    if (!entry || !entry->judged) continue;
    const Judged& judged = *entry->judged;
    // Whatever it was: an attack makes no file that is whole as a kind, but texts of digits.
    const bool is_sound = second_look_ && is_of_a_kind(judged) &&
                          !(is_text(judged) && second_look_->is_coded({*KURA_TRY(open(0))->reader, *entry}, path));
    const bool is_made = second_look_ ? !is_sound : renamed_.is_taken(path);
    if (is_made || !is_what_it_was_named(path, judged)) made_.emplace(path, *std::move(entry));
  }
  return {};
}

// Of a file that came broken: it has a name that only the attack gives. Any other is somebody's, and was hit before it
// was ever backed up whole.
bool RecoveryPlanner::is_made_by_the_attack(const std::string& path) const {
  return made_.contains(path) || renamed_.has_its_name(path);
}

// ---- The plan ----

void RecoveryPlanner::add_all() {
  const auto file_of = [](Fate fate, const Version& version, const Entry* broken) {
    RecoveredFile file{.fate = fate,
                       .snapshot = version.snapshot,
                       .size = version.entry.size,
                       .mtime_seconds = version.entry.mtime_seconds,
                       .broken_as = {},
                       .evidence = {}};
    if (broken == nullptr) return file;
    file.broken_mtime_seconds = broken->mtime_seconds;
    if (broken->judged) file.evidence = broken->judged->evidence;
    return file;
  };
  for (const auto& [path, version] : whole_) add(path, file_of(Fate::kBack, version, &broken_.at(path)));
  for (const auto& [path, version] : gone_) {
    const auto renamed = renamed_.now().find(path);
    const auto made = renamed == renamed_.now().end() ? made_.end() : made_.find(renamed->second);
    if (made == made_.end()) {
      add(path, file_of(Fate::kGone, version, nullptr));
      continue;
    }
    RecoveredFile file = file_of(Fate::kBack, version, &made->second);
    file.broken_as = made->first;
    add(path, std::move(file));
  }
  for (const auto& [path, entry] : made_) add(path, file_of(Fate::kLeftOut, {0, entry}, &entry));
  for (const auto& [path, entry] : broken_) {
    if (whole_.contains(path) || made_.contains(path) || only_renamed_.contains(path)) continue;
    if (came_.contains(path)) {
      add(path, file_of(is_made_by_the_attack(path) ? Fate::kLeftOut : Fate::kLost, {0, entry}, &entry));
    } else if (entry.judged->turned && detect::promised_by(path) != nullptr) {
      add(path, file_of(Fate::kLost, {0, entry}, &entry));
    }
  }
}

void RecoveryPlanner::add(const std::string& path, RecoveredFile file) {
  if (!gone_.contains(path) && plan_.files_kept > 0) --plan_.files_kept;
  plan_.files.insert_or_assign(path, std::move(file));
}

}  // namespace kura::archive
