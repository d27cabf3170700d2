// The vault's time: that of the machine's clock, for as long as it can be right.
//
// A clock that nobody can set runs beside it. When the two part by more than setting a clock right explains, or a start
// finds a time that cannot follow on what the vault saw last, the vault's time goes on by counting from the last time
// that was sure, and is in doubt until a person has looked. So no jump ever ages a snapshot, not even for a moment.
//
//   VaultClock clock(VaultClock::machine());
//   clock.saw(journal.head().time);               // all that is known to have been
//   clock.start();
//   clock.now(); clock.doubt();
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/mutex.h"
#include "base/time.h"

namespace kura::vault {

// Shared by threads.
class VaultClock {
 public:
  // What the machine's clock may be set by, while the vault runs and since it ran last, ns.
  static constexpr std::int64_t kMostStep = 120 * base::kSecond;
  // The step may grow with time: a day of counting may be wrong by this.
  static constexpr std::int64_t kMostDriftADay = 60 * base::kSecond;
  // A start that comes later than this after what was seen last is in doubt: the vault was off, or the clock jumped,
  // and nobody can tell which.
  static constexpr std::int64_t kMostGap = 24LL * 3600 * base::kSecond;

  struct Sources {
    std::function<std::int64_t()> wall;    // ns since 1970: may jump
    std::function<std::int64_t()> steady;  // ns since anything: never set, counts while the machine sleeps
  };
  static Sources machine();  // CLOCK_REALTIME, CLOCK_BOOTTIME (clock_gettime(2))

  explicit VaultClock(Sources sources);

  // A time that has been: of a journal's last entry, or noted by an earlier run. Before start().
  void saw(std::int64_t time);
  // In doubt from the first moment when an earlier run ended so.
  void start(bool was_in_doubt = false);

  // ns since 1970. Never goes back.
  std::int64_t now();
  // Why it is in doubt; nothing when it is not.
  std::optional<std::string> doubt();
  // A person says that the machine's clock is right now.
  void trust();

 private:
  std::int64_t look() KURA_REQUIRES(mutex_);
  void begin_at(std::int64_t time) KURA_REQUIRES(mutex_);

  const Sources sources_;
  base::Mutex mutex_;
  std::int64_t seen_ KURA_GUARDED_BY(mutex_) = 0;   // the latest time known to have been
  std::int64_t begin_ KURA_GUARDED_BY(mutex_) = 0;  // the time from which it counts
  std::int64_t since_ KURA_GUARDED_BY(mutex_) = 0;  // what the steady clock was then
  std::optional<std::string> doubt_ KURA_GUARDED_BY(mutex_);
};

}  // namespace kura::vault
