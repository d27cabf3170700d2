// Whether what changed between two backups of a machine is an attack: judged by the set of files, and over all backups.
//
// One file that became broken is a broken file. Three are more than chance where few files change, and less than proof
// where a hundred thousand do, so what counts is their share: a cumulative sum (Page, "Continuous inspection schemes",
// 1954) that rises with each file that became broken and falls a little with each that changed and is whole. Two of
// them run: a fast one, which three files are enough for, and a slow one, which sees one file in a thousand. They are
// kept with the snapshot, so a slow attack adds up, however long it takes. What is still broken in the tree does not
// fade.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "detect/judge/judgement.h"

namespace kura::detect {

enum class SetVerdict : std::uint8_t { kClean, kSuspect, kAttacked };

// What is carried from one backup to the next.
struct Suspicion {
  double fast = 0;
  double slow = 0;
  bool attacked = false;     // it was said, and more files are broken than before it
  std::uint64_t broken = 0;  // files of the last snapshot that was clean

  // Nothing that may be the beginning of an attack was seen up to here.
  bool is_none() const { return fast == 0 && slow == 0 && !attacked; }
  friend bool operator==(const Suspicion&, const Suspicion&) = default;
};

// A file that came, or went, since the backup before.
struct SeenFile {
  std::string folder;  // its path, without the name
  std::string name;
};

struct CameAs {
  Verdict verdict = Verdict::kUnknown;
  bool turned = false;  // it was another one that went, whole, and is broken
  bool is_note = false;
};

struct SetJudgement {
  SetVerdict verdict = SetVerdict::kClean;
  std::vector<std::string> evidence;  // in words, the strongest first
  Suspicion suspicion;                // for the next backup
};

// Not shared between threads. Memory: the names of new files that are broken or ransom notes, and of files that went,
// at most kMost of each; what is more is counted.
class ChangeLedger {
 public:
  static constexpr std::size_t kMost = 200'000;

  explicit ChangeLedger(Suspicion before) : before_(before), fast_(before.fast), slow_(before.slow) {}

  // A file that was there before and has other contents now. `turned`: it was whole before and is broken.
  void changed(std::string_view path, Verdict verdict, bool turned);
  // One that the backup before did not have under this name.
  void appeared(std::string_view folder, std::string_view name, const CameAs& as);
  // One that the backup before had.
  void vanished(std::string_view folder, std::string_view name, Verdict verdict);
  // One that is broken as it was in an earlier backup, or again.
  void still_broken() { ++still_broken_; }
  // One that was broken in the backup before, and is gone or judged otherwise now.
  void no_longer_broken() { ++no_longer_broken_; }

  // Once, at the end.
  SetJudgement judge() &&;

 private:
  void match_renamed();
  void turned_under_another_name(std::string_view folder, std::string_view name);
  void rise(double by);
  void fall();

  Suspicion before_;
  double fast_, slow_;        // risen and fallen in this backup, from before_
  std::uint64_t turned_ = 0;  // by the same path
  std::uint64_t still_broken_ = 0, no_longer_broken_ = 0;
  std::uint64_t appeared_broken_ = 0, appeared_ = 0;
  std::uint64_t renamed_ = 0;              // turned under another name
  std::uint64_t replaced_ = 0;             // broken ones that came where whole ones went
  std::uint64_t to_opaque_ = 0;            // were whole, and are encrypted by design
  std::vector<std::string> first_turned_;  // paths, a few
  std::vector<SeenFile> broken_, notes_, gone_;
};

}  // namespace kura::detect
