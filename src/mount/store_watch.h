// Tells a store that is away (its disk unmounted, its folder renamed, no permission any more) from damage in it. While
// it is away, thousands of packs are "missing", and there is one thing to say.
//
// All functions may be called from any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>

#include "archive/repo/repository.h"
#include "base/guarded.h"
#include "base/mutex.h"
#include "mount/troubles.h"

namespace kura::mount {

class StoreWatch {
 public:
  // Both outlive the watch.
  StoreWatch(const archive::Repository& repository, Troubles& troubles)
      : repository_(repository), troubles_(troubles) {}

  // After a failure. Whether the store does not even have its config, which is told; then this is the error for
  // whatever was asked of it. Costs a stat of one object.
  base::Status is_there() { return look(); }
  // Before the store is asked. While it is away, somebody looks first whether it is back, so that not every reader
  // waits until a silent server has been given up. Else it costs an atomic load.
  base::Status is_worth_asking() { return is_away_.load(std::memory_order_relaxed) ? look() : base::Status(); }
  // After damage that a snapshot met: whether it was forgotten meanwhile, so that garbage collection may have taken
  // what it needed. Costs a stat of one object.
  bool is_forgotten(const store::ObjectId& snapshot) const;
  // After a success: when the store was away, it is told again the next time. Costs an atomic load.
  void answered() {
    if (is_away_.load(std::memory_order_relaxed)) came_back();
  }

 private:
  using Clock = std::chrono::steady_clock;
  // What was seen last.
  struct Look {
    Clock::time_point began, ended;
    base::Status seen;
  };

  base::Status look() KURA_EXCLUDES(looking_);
  base::Status went_away(const base::Error& why);
  void came_back();

  const archive::Repository& repository_;
  Troubles& troubles_;
  base::Mutex looking_;
  std::optional<Look> last_ KURA_GUARDED_BY(looking_);
  std::atomic<bool> is_away_{false};
  base::Guarded<std::optional<base::Error>> told_;  // of the time it is away
};

}  // namespace kura::mount
