// Which version of each file is to be had back after an attack: what the attack did not touch as it is now, the rest in
// the newest version that is whole (docs/recover.md).
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/format/entry.h"
#include "archive/repo/repository.h"
#include "base/progress.h"
#include "detect/judge/contents_judge.h"

namespace kura::archive {

enum class Fate : std::uint8_t {
  kBack,     // it is broken now: an older version comes back
  kGone,     // it is gone since the clean snapshot, and comes back
  kLost,     // it is broken now, and no snapshot has a whole version: what there is comes back
  kLeftOut,  // it came broken since the clean snapshot: what the attack made of another file, or made anew
};
std::string_view name_of(Fate fate);  // "back", "gone", "lost", "left_out"

struct RecoveredFile {
  Fate fate = Fate::kBack;
  std::size_t snapshot = 0;               // which has the version that comes back: its place in RecoveryPlan::snapshots
  std::uint64_t size = 0;                 // of that version
  std::int64_t mtime_seconds = 0;         // of that version
  std::int64_t broken_mtime_seconds = 0;  // of the broken one: changes between the two are lost; 0: there is none
  std::string broken_as;                  // the path that has the broken version now, where it is another
  std::string evidence;                   // why it is taken for broken
};

struct RecoveryPlan {
  std::vector<StoredSnapshot> snapshots;  // of one machine and series, the newest first; the first one is recovered
  std::size_t clean = 0;                  // the newest of them that is clean
  bool has_clean = false;                 // else none is, and `clean` is the oldest
  std::map<std::string, RecoveredFile> files;  // by path; all others come as they are in the newest
  std::uint64_t files_kept = 0;                // those

  // Whether the entry at `path` is written from the snapshot at that place; for a folder, whether anything in it is.
  bool comes_from(std::size_t snapshot, const std::string& path, bool is_folder) const;
};

struct RecoveryRequest {
  StoredSnapshot newest;
  std::string path = "/";  // only what lies there
  // Compares what changed since the clean point, and in up to three backups before it, with what it was: null to
  // believe the backups' verdicts. It outlives the call, as does `compared`, which counts that and may be null.
  detect::ContentsJudge* judge = nullptr;
  base::Progress* compared = nullptr;
};

// Reads the newest snapshot's tree and what differs from the clean one, and looks up older versions of what is broken
// in both. Memory: some 300 bytes for each file that is not as it is in the newest snapshot, and two versions of one
// file of at most SecondLook::kLargest. Needs the recovery key. Damage on the way goes to `damaged`.
base::Result<RecoveryPlan> plan_recovery(const Repository& repository, const RecoveryRequest& request,
                                         std::vector<DamagedObject>& damaged, const std::stop_token& stop);

}  // namespace kura::archive
