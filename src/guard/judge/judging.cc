#include "guard/judge/judging.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>

#include "base/time.h"
#include "detect/judge/names.h"
#include "detect/judge/pair.h"
#include "guard/judge/passing.h"

namespace kura::guard {
namespace {

using detect::Verdict;

constexpr unsigned kMostAttempts = 5;
constexpr std::chrono::milliseconds kSettled{3000};
constexpr std::chrono::milliseconds kFolderGone{2000};

// Whether some process has the file open for writing: the kernel then refuses a read lease.
bool has_writer(int fd) {
  if (::fcntl(fd, F_SETLEASE, F_RDLCK) == 0) {
    ::fcntl(fd, F_SETLEASE, F_UNLCK);
    return false;
  }
  return errno == EAGAIN;
}

std::string reason_of(const detect::Judgement& judgement) {
  return judgement.reasons.empty() ? std::string() : judgement.reasons.front();
}

// Of a known kind and whole, or at least nothing that looks encrypted.
bool was_whole(const detect::Version& version) {
  if (version.size == 0) return false;
  if (version.judgement.verdict == Verdict::kValid) return true;
  return version.judgement.verdict == Verdict::kUnknown && version.texture.random_count() * 4 < version.texture.blocks;
}

}  // namespace

std::optional<Judging::Judged> Judging::look(const std::string& path) const {
  auto fd = parts_.share.open_file(path);
  struct stat facts{};
  if (!fd || ::fstat(fd->get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return std::nullopt;
  Judged judged;
  judged.inode = facts.st_ino;
  judged.modified = modified_ns(facts);
  judged.size = static_cast<std::uint64_t>(facts.st_size);
  judged.being_written = has_writer(fd->get());
  parts_.held.hold(fd->get());
  judged.version = parts_.judge.judge({.fd = fd->get(), .size = judged.size, .bytes = {}}, path);
  return judged;
}

void Judging::learn(const std::string& path) {
  const auto facts = parts_.share.look_at(path);
  if (!facts || !S_ISREG(facts->st_mode)) return;
  const auto judged = look(path);
  if (judged && !parts_.memory.file(path)) keep(path, *judged, judged->version.judgement.verdict);
}

void Judging::hold(const std::string& path) const {
  if (auto place = parts_.share.open_file(path, O_PATH)) parts_.held.adopt(*std::move(place));
}

void Judging::judge(const Change& change) {
  switch (change.what) {
    case Change::What::kWritten:
      written(change);
      break;
    case Change::What::kDeleted:
      deleted(change);
      break;
    case Change::What::kRenamed:
      renamed(change);
      break;
  }
  if (change.actor->watched) look_after_gone(*change.actor);
}

void Judging::keep(const std::string& path, const Judged& judged, Verdict verdict) const {
  Remembered file{.version = judged.version, .inode = judged.inode, .modified = judged.modified, .gone = 0};
  file.version.judgement.verdict = verdict;
  parts_.memory.remember(path, file);
}

// What it was is remembered until it has contents again: who empties files first encrypts them all the same.
void Judging::keep_emptied(const std::string& path, const Judged& judged, const Remembered& before) const {
  Remembered file = before;
  file.inode = judged.inode;
  file.modified = judged.modified;
  file.gone = 0;
  parts_.memory.remember(path, file);
}

void Judging::judge_later(const Change& change) const {
  Change again = change;
  ++again.attempt;
  parts_.findings.later(std::move(again), std::chrono::milliseconds(500));
}

// ---- Written ----

void Judging::written(const Change& change) {
  const auto known = parts_.memory.file(change.path);
  const auto facts = parts_.share.look_at(change.path);
  if (!facts || !S_ISREG(facts->st_mode)) return;
  if (known && known->gone == 0 && known->inode == facts->st_ino && known->modified == modified_ns(*facts) &&
      known->version.size == static_cast<std::uint64_t>(facts->st_size)) {
    return;  // opened for writing, and nothing written
  }
  const auto judged = look(change.path);
  if (!judged) return;
  const bool lineage = !known || known->version.size == 0;
  conclude(change, *judged, lineage ? ancestor(change.path) : known, lineage);
}

// What the file was under the name that it had before somebody put something behind it, when that is gone.
std::optional<Remembered> Judging::ancestor(const std::string& path) const {
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? std::string() : path.substr(0, slash + 1);
  for (const std::string& name : detect::names_before(path.substr(folder.size()))) {
    auto known = parts_.memory.file(folder + name);
    if (known && known->version.size > 0 && (known->gone != 0 || !parts_.share.exists(folder + name))) return known;
  }
  return std::nullopt;
}

detect::Judgement Judging::compare(const std::string& path, const Remembered& before, const Judged& judged) const {
  detect::Judgement judgement = detect::judge_change(before.version, judged.version, path);
  if (judgement.verdict == Verdict::kBroken || before.version.judgement.verdict == Verdict::kOpaque) return judgement;
  const auto saved = parts_.memory.saved(path, INT64_MAX);
  if (!saved || saved->modified != before.modified || saved->size != before.version.size) return judgement;
  auto old_file = parts_.saved.open_saved(saved->id);
  auto new_file = parts_.share.open_file(path);
  if (!old_file || !new_file) return judgement;
  return parts_.judge.judge_change(before.version, {.fd = old_file->get(), .size = saved->size, .bytes = {}},
                                   judged.version, {.fd = new_file->get(), .size = judged.size, .bytes = {}}, path);
}

void Judging::conclude(const Change& change, const Judged& judged, const std::optional<Remembered>& before,
                       bool lineage) {
  const bool had_contents = before && before->version.size > 0;
  const detect::Judgement judgement = had_contents ? compare(change.path, *before, judged) : judged.version.judgement;
  const bool broken = judgement.verdict == Verdict::kBroken;
  if (judged.being_written && (!broken || change.attempt < kMostAttempts)) {
    // Half of a new version would be taken for the old one by the next judgement; that comes when it is closed.
    if (broken) judge_later(change);
    return;
  }
  if (had_contents && judged.size == 0) {
    keep_emptied(change.path, judged, *before);
  } else {
    keep(change.path, judged, broken ? Verdict::kBroken : judged.version.judgement.verdict);
  }
  if (is_canary(change.path)) return conclude_canary(change, judgement);
  if (!had_contents) return conclude_new(change, judged);
  if (broken) {
    parts_.findings.sign(change.actor, lineage ? Sign::kReplaced : Sign::kBecameBroken, change.path, change.time,
                         reason_of(judgement));
    Change again = change;
    again.again = true;
    if (!change.again) parts_.findings.later(std::move(again), kSettled);
  } else if (judgement.verdict == Verdict::kOpaque && before->version.judgement.verdict != Verdict::kOpaque) {
    parts_.findings.sign(change.actor, Sign::kSealedNew, change.path, change.time, reason_of(judgement));
  } else if (judgement.verdict == Verdict::kValid) {
    parts_.findings.valid(change.actor, change.path, change.time);
  }
}

void Judging::conclude_new(const Change& change, const Judged& judged) {
  const detect::Judgement& judgement = judged.version.judgement;
  look_for_notes(change, judged);
  if (judgement.verdict == Verdict::kBroken) {
    parts_.findings.sign(change.actor, Sign::kRandomNew, change.path, change.time, reason_of(judgement));
    note_passing(change.actor->state.lock()->came_random,
                 {change.path, judged.size, change.time, judged.version.ends_early});
    match(change);
  } else if (judgement.verdict == Verdict::kOpaque) {
    parts_.findings.sign(change.actor, Sign::kSealedNew, change.path, change.time, reason_of(judgement));
  } else if (judgement.verdict == Verdict::kValid && judged.size > 0) {
    parts_.findings.valid(change.actor, change.path, change.time);
  }
}

void Judging::conclude_canary(const Change& change, const detect::Judgement& judgement) {
  const bool whole = judgement.verdict == Verdict::kValid;
  parts_.findings.sign(
      change.actor, whole ? Sign::kCanaryTouched : Sign::kCanaryBroken, change.path, change.time,
      whole ? "a canary was written, and is whole" : "a canary's contents are gone: " + reason_of(judgement));
}

void Judging::match(const Change& change) {
  const auto pair = [&] {
    const auto state = change.actor->state.lock();
    return take_pair(state->came_random, state->went_whole);
  }();
  if (!pair) return;
  parts_.findings.sign(change.actor, Sign::kReplaced, pair->went.path, std::min(pair->went.time, pair->came.time),
                       "it went, and " + pair->came.path + " came, of its size and random");
}

void Judging::look_for_notes(const Change& change, const Judged& judged) {
  const std::uint64_t size = judged.size;
  if (size == 0 || size > kNoteSize) return;
  const bool is_note = [&] {
    const auto state = change.actor->state.lock();
    note_passing(state->came_small, {change.path, size, change.time});
    if (state->note_seen) return false;
    if (!judged.version.is_note && folders_with_same(state->came_small) < 3) return false;
    return state->note_seen = true;
  }();
  if (is_note) {
    parts_.findings.sign(
        change.actor, Sign::kNote, change.path, change.time,
        judged.version.is_note ? "it reads like a ransom note" : "the same new small file in several folders");
  }
}

// ---- Deleted ----

void Judging::keep_gone(const Change& change, const std::string& path, const Remembered& known) const {
  base::UniqueFd file = known.gone == 0 ? parts_.held.take_gone(known.inode) : base::UniqueFd();
  if (file) note_gone(change.actor->state.lock()->gone, {path, std::move(file), known.version.size, change.time});
}

void Judging::look_after_gone(Actor& actor) const {
  std::deque<GoneFile> gone;
  {
    const auto state = actor.state.lock();
    forget_gone(state->gone, base::now_ns() - std::chrono::nanoseconds(kGoneFor).count());
    if (actor.watched) gone.swap(state->gone);
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  for (const GoneFile& file : gone) {
    [[maybe_unused]] const SaveResult saved =
        parts_.saved.save(file.file.get(), file.path, actor.name().key(), end, file.time);
  }
}

void Judging::deleted(const Change& change) {
  if (change.folder) {
    for (const std::string& path : parts_.memory.files_below(change.path)) parts_.memory.bury(path, change.time);
    return;
  }
  if (change.again) {  // a canary's folder: is it still there?
    const std::string folder = change.path.substr(0, change.path.rfind('/') + 1);
    if (folder.empty() || parts_.share.exists(folder)) {
      parts_.findings.sign(change.actor, Sign::kCanaryGone, change.path, change.time, "a canary was deleted");
    }
    return;
  }
  const auto known = parts_.memory.file(change.path);
  if (known) keep_gone(change, change.path, *known);
  if (parts_.share.exists(change.path)) return;  // another one has its name already
  if (is_canary(change.path)) {
    Change again = change;
    again.again = true;
    parts_.findings.later(std::move(again), kFolderGone);
  }
  if (!known || known->gone != 0) return;
  parts_.memory.bury(change.path, change.time);
  parts_.findings.sign(change.actor, Sign::kDeleted, change.path, change.time, {});
  if (!was_whole(known->version)) return;
  note_passing(change.actor->state.lock()->went_whole, {change.path, known->version.size, change.time});
  match(change);
}

// ---- Renamed ----

void Judging::renamed(const Change& change) {
  if (change.folder) {
    parts_.memory.move(change.from, change.path, true);
    auto moved = parts_.memory.canaries();
    *canaries_.lock() = std::move(moved);
    parts_.findings.sign(change.actor, Sign::kRenamed, change.path, change.time, {});
    return;
  }
  const auto replaced = parts_.memory.file(change.path);
  if (replaced) keep_gone(change, change.path, *replaced);
  const auto known = parts_.memory.file(change.from);
  const bool canary = is_canary(change.from);
  const bool onto_canary = is_canary(change.path);
  parts_.memory.move(change.from, change.path, false);
  {
    const auto state = change.actor->state.lock();
    state->trial.renamed(change.from, change.path);
    rename_passing(state->came_random, change.from, change.path);
  }
  if (canary && !onto_canary) {
    parts_.memory.set_canary(change.from, false);
    parts_.memory.set_canary(change.path, true);
    const auto locked = canaries_.lock();
    locked->erase(change.from);
    locked->insert(change.path);
  }
  const bool longer = change.path.size() > change.from.size() && change.path.starts_with(change.from + ".");
  parts_.findings.sign(change.actor, longer ? Sign::kExtension : Sign::kRenamed, change.path, change.time, {});
  const auto judged = look(change.path);
  if (!judged) return;
  if (replaced && replaced->inode != judged->inode && replaced->version.size > 0) {
    conclude(change, *judged, replaced, false);
  } else if (!known || known->inode != judged->inode || known->modified != judged->modified) {
    conclude(change, *judged, known && known->version.size > 0 ? known : ancestor(change.path), true);
  } else if (canary) {
    conclude_canary(change, known->version.judgement);
  } else if (known->version.judgement.verdict == Verdict::kBroken) {
    // A random file that was new under another name may be the one that was there under this, or a shorter, name.
    if (const auto before = ancestor(change.path)) conclude(change, *judged, before, true);
  }
}

}  // namespace kura::guard
