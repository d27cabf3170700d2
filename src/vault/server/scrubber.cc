#include "vault/server/scrubber.h"

#include <chrono>
#include <utility>

#include "base/pause.h"

namespace kura::vault {
namespace {

constexpr std::chrono::seconds kPause(10);  // when there was nothing to read, or something failed

}  // namespace

Scrubber::Scrubber(Site& site, std::uint64_t rate, std::function<void(const std::string&, const base::Error&)> problem)
    : site_(site),
      rate_(rate),
      problem_(std::move(problem)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void Scrubber::run(const std::stop_token& stop) {
  while (rate_ != 0 && !stop.stop_requested()) {
    if (!round(stop)) base::pause_for(kPause, stop);
  }
}

// One object of each repository; false when there was none.
bool Scrubber::round(const std::stop_token& stop) {
  bool worked = false;
  for (Holding* holding : site_.holdings()) {
    if (stop.stop_requested()) break;
    const std::uint64_t bytes = step(*holding, worked);
    const std::chrono::duration<double> worth(static_cast<double>(bytes) / static_cast<double>(rate_));
    if (bytes != 0) base::pause_for(std::chrono::duration_cast<std::chrono::nanoseconds>(worth), stop);
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
