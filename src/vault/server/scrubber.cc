#include "vault/server/scrubber.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace kura::vault {
namespace {

constexpr std::chrono::seconds kPause(10);  // when there was nothing to read, or something failed

void wait(const std::stop_token& stop, std::chrono::nanoseconds time) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  never.wait_for(lock, stop, time, [] { return false; });
}

}  // namespace

Scrubber::Scrubber(Site& site, std::uint64_t rate, std::function<void(const std::string&, const base::Error&)> problem)
    : site_(site),
      rate_(rate),
      problem_(std::move(problem)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void Scrubber::run(const std::stop_token& stop) {
  while (rate_ != 0 && !stop.stop_requested()) {
    if (!round(stop)) wait(stop, kPause);
  }
}

// One object of each repository; false when there was none.
bool Scrubber::round(const std::stop_token& stop) {
  bool worked = false;
  for (Holding* holding : site_.holdings()) {
    if (stop.stop_requested()) break;
    const std::uint64_t bytes = step(*holding, worked);
    const double seconds = static_cast<double>(bytes) / static_cast<double>(rate_);
    if (bytes != 0)
      wait(stop, std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds)));
  }
  return worked;
}

std::uint64_t Scrubber::step(Holding& holding, bool& worked) {
  std::unique_ptr<Scrub>& scrub = scrubs_[holding.name()];
  if (!scrub) scrub = std::make_unique<Scrub>(holding);
  const base::Result<Scrub::Step> step = scrub->next();
  if (!step) {
    problem_(holding.name(), step.error());
    return 0;
  }
  if (!step->ends_round) worked = true;
  return step->bytes;
}

}  // namespace kura::vault
