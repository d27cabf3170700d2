#include "detect/incident/change_ledger.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/escape.h"
#include "detect/judge/names.h"

namespace kura::detect {
namespace {

// Fast: 3 files; falls to nothing where fewer than 1 in 120 of what changes is broken. Slow: 5 files; 1 in 1,500.
constexpr double kFastRise = 6, kFastFall = 0.05;
constexpr double kSlowRise = 3, kSlowFall = 0.002;
constexpr double kSuspect = 9, kAttacked = 15;
constexpr double kHighest = 60;
// A file that came broken where a whole one went, under a name that says nothing: half as telling.
constexpr double kReplacedWeight = 0.5;
constexpr std::size_t kShown = 5;
constexpr std::size_t kNoteFolders = 3;
constexpr std::uint64_t kManyOpaque = 20;
constexpr std::uint64_t kManyBroken = 10;

std::string examples_of(const std::vector<std::string>& paths, std::uint64_t all) {
  std::string text;
  for (const std::string& path : paths) text += (text.empty() ? "" : ", ") + base::printable(path);
  if (all > paths.size()) text += fmt::format(" and {} more", all - paths.size());
  return text;
}

// A name in `gone` that the file may have had, taken out of it: without what was put behind it, or with another
// extension in place of its own.
bool take_name_before(std::set<std::string>& gone, const std::string& name) {
  for (const std::string& before : names_before(name)) {
    if (gone.erase(before) > 0) return true;
  }
  const std::string stem(stem_of(name));
  for (auto at = gone.lower_bound(stem); at != gone.end() && at->starts_with(stem); ++at) {
    if (stem_of(*at) != stem) continue;
    gone.erase(at);
    return true;
  }
  return false;
}

void keep(std::vector<SeenFile>& files, std::string_view folder, std::string_view name) {
  if (files.size() < ChangeLedger::kMost) files.push_back({std::string(folder), std::string(name)});
}

// Names of ransom notes that lie in several folders.
std::map<std::string, std::set<std::string>> folders_by_name(const std::vector<SeenFile>& notes) {
  std::map<std::string, std::set<std::string>> folders;
  for (const SeenFile& note : notes) folders[note.name].insert(note.folder);
  return folders;
}

}  // namespace

void ChangeLedger::rise(double by) {
  fast_ = std::min(fast_ + by * kFastRise, kHighest);
  slow_ = std::min(slow_ + by * kSlowRise, kHighest);
}

void ChangeLedger::fall() {
  fast_ = std::max(fast_ - kFastFall, 0.0);
  slow_ = std::max(slow_ - kSlowFall, 0.0);
}

void ChangeLedger::changed(std::string_view path, Verdict verdict, bool turned) {
  if (verdict == Verdict::kValid) return fall();
  if (verdict == Verdict::kOpaque && turned) ++to_opaque_;
  if (verdict != Verdict::kBroken || !turned) return;
  ++turned_;
  if (first_turned_.size() < kShown) first_turned_.emplace_back(path);
  rise(1);
}

void ChangeLedger::appeared(std::string_view folder, std::string_view name, const CameAs& as) {
  ++appeared_;
  if (as.is_note) keep(notes_, folder, name);
  if (as.verdict != Verdict::kBroken) return;
  ++appeared_broken_;
  if (as.turned) return turned_under_another_name(folder, name);
  if (!says_its_kind(name)) keep(broken_, folder, name);  // else it is a file of its own
}

void ChangeLedger::turned_under_another_name(std::string_view folder, std::string_view name) {
  ++renamed_;
  if (first_turned_.size() < kShown) first_turned_.push_back(std::string(folder) + "/" + std::string(name));
  rise(1);
}

void ChangeLedger::vanished(std::string_view folder, std::string_view name, Verdict verdict) {
  if (verdict == Verdict::kBroken) return no_longer_broken();
  keep(gone_, folder, name);
}

// What came broken, and what went, folder by folder.
void ChangeLedger::match_renamed() {
  std::map<std::string, std::set<std::string>> gone;
  for (SeenFile& file : gone_) gone[std::move(file.folder)].insert(std::move(file.name));
  std::map<std::string, std::uint64_t> unmatched;
  for (const SeenFile& file : broken_) {
    const auto here = gone.find(file.folder);
    if (here == gone.end()) continue;
    if (!take_name_before(here->second, file.name)) {
      ++unmatched[file.folder];
      continue;
    }
    turned_under_another_name(file.folder, file.name);
  }
  for (const auto& [folder, count] : unmatched) {
    const std::uint64_t replaced = std::min<std::uint64_t>(count, gone[folder].size());
    replaced_ += replaced;
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(replaced, 20); ++i) rise(kReplacedWeight);
  }
}

SetJudgement ChangeLedger::judge() && {
  match_renamed();
  SetJudgement result;
  const std::uint64_t broken = turned_ + appeared_broken_ + still_broken_;
  // Until an attack begins, all that is broken is how this machine's files are, also when some of it goes.
  if (before_.is_none()) before_.broken -= std::min(before_.broken, no_longer_broken_);
  const bool more = broken > before_.broken;
  std::size_t note_folders = 0;
  std::string note_name;
  for (const auto& [name, folders] : folders_by_name(notes_)) {
    if (folders.size() > note_folders) std::tie(note_folders, note_name) = std::pair(folders.size(), name);
  }
  if (note_folders > 0 && more) rise(1);

  if (turned_ + renamed_ > 0) {
    result.evidence.push_back(fmt::format("{} that were whole are broken now: {}", turned_ + renamed_,
                                          examples_of(first_turned_, turned_ + renamed_)));
  }
  if (replaced_ > 0) {
    result.evidence.push_back(fmt::format("{} that are broken came where as many whole ones went", replaced_));
  }
  if (note_folders > 0) {
    result.evidence.push_back(
        fmt::format("a ransom note, {}, lies in {} folders", base::printable(note_name), note_folders));
  }
  if (before_.attacked && still_broken_ > 0) {
    result.evidence.push_back(fmt::format("{} that were broken in the backup before still are", still_broken_));
  }
  const bool came_broken = appeared_broken_ >= kManyBroken && appeared_broken_ * 20 >= appeared_;
  if (came_broken && turned_ + renamed_ + replaced_ == 0) {
    result.evidence.push_back(fmt::format("{} of {} new files are broken", appeared_broken_, appeared_));
  }
  if (to_opaque_ >= kManyOpaque) {
    result.evidence.push_back(fmt::format("{} that were open are encrypted by design now", to_opaque_));
  }

  // When no more is broken than was before all this, it is over.
  if (!more) fast_ = slow_ = 0;
  const double level = std::max(fast_, slow_);
  if (level >= kAttacked || (before_.attacked && more)) {
    result.verdict = SetVerdict::kAttacked;
  } else if (level >= kSuspect || note_folders >= kNoteFolders || to_opaque_ >= kManyOpaque || came_broken) {
    result.verdict = SetVerdict::kSuspect;
  }
  result.suspicion = {
      .fast = fast_, .slow = slow_, .attacked = result.verdict == SetVerdict::kAttacked, .broken = before_.broken};
  // What came broken and was not taken for an attack is how this machine's files are.
  if (result.verdict == SetVerdict::kClean && level == 0) result.suspicion.broken = broken;
  return result;
}

}  // namespace kura::detect
