#include "vault/server/housekeeping.h"

#include <condition_variable>
#include <mutex>
#include <utility>

namespace kura::vault {

Housekeeping::Housekeeping(Site& site, Times times, std::function<void(const std::string&, const base::Error&)> problem)
    : site_(site),
      times_(times),
      problem_(std::move(problem)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void Housekeeping::keep(Holding& holding) {
  if (const auto expired = holding.expire(); !expired) problem_(holding.name(), expired.error());
  if (const auto collected = holding.collect(times_.grace); !collected) problem_(holding.name(), collected.error());
}

void Housekeeping::run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  while (!stop.stop_requested()) {
    for (Holding* holding : site_.holdings()) {
      if (stop.stop_requested()) return;
      keep(*holding);
    }
    std::unique_lock lock(mutex);
    never.wait_for(lock, stop, times_.pause, [] { return false; });
  }
}

}  // namespace kura::vault
