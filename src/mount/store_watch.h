// Tells a store that is away (its disk unmounted, its folder renamed, no permission any more) from damage in it. While
// it is away, thousands of packs are "missing", and there is one thing to say.
//
// All functions may be called from any thread.
#pragma once

#include <memory>

#include "archive/repo/repository.h"
#include "base/guarded.h"
#include "mount/troubles.h"

namespace kura::mount {

class StoreWatch {
 public:
  // Both outlive the watch.
  StoreWatch(const archive::Repository& repository, Troubles& troubles)
      : repository_(repository), troubles_(troubles) {}

  // After a failure. Whether the store does not even have its config, which is told; then this is the error for
  // whatever was asked of it. Costs a stat of one object.
  base::Status is_there();
  // After a success: when the store was away, it is told again the next time. Costs an atomic load.
  void answered() {
    if (is_away_.load(std::memory_order_relaxed)) came_back();
  }

 private:
  void came_back();

  const archive::Repository& repository_;
  Troubles& troubles_;
  std::atomic<bool> is_away_{false};
  base::Guarded<std::optional<base::Error>> told_;  // of the time it is away
};

}  // namespace kura::mount
