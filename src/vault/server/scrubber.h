// Scrubs all repositories of a running vault (holding/scrub.h), one object after the other in turn, at a set rate.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "vault/holding/scrub.h"
#include "vault/server/site.h"

namespace kura::vault {

// Runs on a thread of its own while it lives; its destructor waits for the object that it is at.
class Scrubber {
 public:
  // `rate`: bytes a second, 0: never. `site` outlives it. `problem` is called on its thread with the name of the
  // repository.
  Scrubber(Site& site, std::uint64_t rate, std::function<void(const std::string&, const base::Error&)> problem);

 private:
  void run(const std::stop_token& stop);
  bool round(const std::stop_token& stop);
  std::uint64_t step(Holding& holding, bool& worked);

  Site& site_;
  const std::uint64_t rate_;
  const std::function<void(const std::string&, const base::Error&)> problem_;
  std::map<std::string, std::unique_ptr<Scrub>> scrubs_;
  std::jthread thread_;
};

}  // namespace kura::vault
