// What a running vault does by itself: retention, what two people have wanted, and garbage collection, of one
// repository after the other. While the clock is in doubt nothing goes.
#pragma once

#include <chrono>
#include <functional>
#include <thread>

#include "vault/server/site.h"

namespace kura::vault {

// Runs on a thread of its own while it lives; its destructor waits for the repository that it is at.
class Housekeeping {
 public:
  struct Times {
    std::chrono::seconds pause{600};        // from one round to the next; the first begins at once
    std::chrono::hours grace{24};           // before what nothing needs is removed
    std::chrono::seconds delay{72 * 3600};  // from the second person's word to what two people want
  };
  // `site` outlives it. `problem` is called on its thread with the name of the repository, or with
  // "clock".
  Housekeeping(Site& site, Times times, std::function<void(const std::string&, const base::Error&)> problem);

 private:
  void run(const std::stop_token& stop);
  void keep(Holding& holding);
  void renew_locks(Holding& holding);

  Site& site_;
  const Times times_;
  const std::function<void(const std::string&, const base::Error&)> problem_;
  std::jthread thread_;
};

}  // namespace kura::vault
