// Judges what a change made of a file, by its contents and by what is remembered of it, and says what speaks against or
// for the actor. Changes of one actor have to come in their order; those of several may come on several threads.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "base/guarded.h"
#include "detect/judge/contents_judge.h"
#include "detect/judge/judgement.h"
#include "guard/actors/table.h"
#include "guard/model/trial.h"
#include "guard/state/memory.h"
#include "guard/state/saved_files.h"
#include "guard/watch/change.h"
#include "guard/watch/held.h"
#include "guard/watch/share.h"

namespace kura::guard {

// Told of the outcome.
class Findings {
 public:
  Findings() = default;
  Findings(const Findings&) = delete;
  Findings& operator=(const Findings&) = delete;
  virtual ~Findings() = default;
  virtual void sign(const ActorPointer& actor, Sign sign, const std::string& path, std::int64_t time,
                    const std::string& reason) = 0;
  virtual void valid(const ActorPointer& actor, const std::string& path, std::int64_t time) = 0;
  // The file has to be judged again after a while: somebody still writes it, or it may have been torn.
  virtual void later(Change change, std::chrono::milliseconds after) = 0;
};

class Judging {
 public:
  struct Parts {
    detect::ContentsJudge& judge;
    const Share& share;
    Memory& memory;
    SavedFiles& saved;
    HeldFiles& held;
    Findings& findings;
  };
  explicit Judging(const Parts& parts) : parts_(parts) {}

  void judge(const Change& change);
  // What he deleted lately is kept without a copy for kGoneFor, and saved as soon as he is watched.
  void look_after_gone(Actor& actor) const;
  // Learns a file that nothing is known of, without holding anything against anybody.
  void learn(const std::string& path);
  // Its contents outlive its name from now on.
  void hold(const std::string& path) const;
  void set_canaries(std::set<std::string> canaries) { *canaries_.lock() = std::move(canaries); }

  static constexpr std::chrono::minutes kGoneFor{10};
  static constexpr std::uint64_t kNoteSize = 64U << 10;

 private:
  struct Judged {
    detect::Version version;  // by itself
    std::uint64_t inode = 0;
    std::int64_t modified = 0;
    std::uint64_t size = 0;
    bool being_written = false;
  };
  std::optional<Judged> look(const std::string& path) const;
  void written(const Change& change);
  void deleted(const Change& change);
  void renamed(const Change& change);
  void conclude(const Change& change, const Judged& judged, const std::optional<Remembered>& before, bool lineage);
  void conclude_new(const Change& change, const Judged& judged);
  void conclude_canary(const Change& change, const detect::Judgement& judgement);
  detect::Judgement compare(const std::string& path, const Remembered& before, const Judged& judged) const;
  std::optional<Remembered> ancestor(const std::string& path) const;
  // Whether a random file that came and a whole one that went are one.
  void match(const Change& change);
  void look_for_notes(const Change& change, const Judged& judged);
  void keep(const std::string& path, const Judged& judged, detect::Verdict verdict) const;
  void keep_emptied(const std::string& path, const Judged& judged, const Remembered& before) const;
  void judge_later(const Change& change) const;
  void keep_gone(const Change& change, const std::string& path, const Remembered& known) const;
  bool is_canary(const std::string& path) const { return canaries_.lock()->contains(path); }

  const Parts parts_;
  base::Guarded<std::set<std::string>> canaries_;
};

}  // namespace kura::guard
