// Is this actor an attacker? Wald's sequential probability ratio test over what he changes: each sign adds the
// logarithm of how much likelier it is of an attacker than of anybody else, and the sum is compared with one bound.
//
//   trial.add(Sign::kBecameBroken, "a/report.docx", now);
//   if (trial.standing(now) == Standing::kProven) ...
//
// Only contents that became broken, each in a file of its own, can prove anything: three of them do, two do not,
// whatever else is seen. Weak signs (deletions, new names, new random files) are capped below one broken file. What was
// proven of one file fades within months, not days, so that an attack that goes slowly is stopped at the same file.
// Valid changes after the first sign speak for the actor, but some 2,400 of them only outweigh one broken file.
//
// Not shared between threads. Memory: at most kMostFiles names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/error.h"

namespace kura::guard {

enum class Sign : std::uint8_t {
  kBecameBroken,   // a file that was whole, or not random, is what encryption leaves
  kReplaced,       // the same, in another file: a random one came and the whole one went
  kCanaryBroken,   // a canary's contents are gone: proof by itself
  kCanaryGone,     // a canary was deleted, and its folder is still there: as much as one broken file
  kCanaryTouched,  // a canary has another name, or changed and is whole: what renames or converts everything does that
  kRandomNew,      // a new file looks random
  kSealedNew,      // a new file is encrypted by design (gpg, 7z with a password)
  kExtension,      // a file got one more extension
  kNote,           // the same new small file in several folders
  kDeleted,
  kRenamed,
};
std::string_view name_of(Sign sign);
bool is_proof(Sign sign);     // counts towards containment
double weight_of(Sign sign);  // nats

enum class Standing : std::uint8_t {
  kCalm,
  kWatched,  // one file: his opens are looked at first, and what he changes is saved
  kSuspect,  // two files: an incident, retention is frozen
  kProven,   // contain
};
std::string_view name_of(Standing standing);

struct Proof {
  Sign sign = Sign::kBecameBroken;
  std::string path;
  std::int64_t time = 0;  // ns since 1970
  std::string reason;
};

class Trial {
 public:
  static constexpr double kBound = 14.0;   // nats: an honest actor gets there less than once in a million trials
  static constexpr double kWeakCap = 4.0;  // of all weak signs together
  static constexpr std::size_t kMostFiles = 256;

  void add(Sign sign, std::string_view path, std::int64_t now, std::string reason = {});
  // A valid change of that file.
  void add_valid(std::string_view path, std::int64_t now);
  // The file turned out to be whole: it was read while it was written. True when something was taken back.
  bool retract(std::string_view path);
  // It has another name now.
  void renamed(std::string_view from, std::string_view to);
  void absorb(const Trial& other);
  void clear();

  double score(std::int64_t now) const;
  Standing standing(std::int64_t now) const;
  const std::vector<Proof>& proofs() const { return proofs_; }

 private:
  double proof(std::int64_t now) const;
  double weak(std::int64_t now) const;

  std::vector<Proof> proofs_;
  double weak_ = 0;
  std::int64_t weak_at_ = 0;
  double credit_ = 0;
  std::unordered_set<std::size_t> credited_;  // hashes of paths
};

}  // namespace kura::guard
