#include "vault/server/housekeeping.h"

#include <utility>

#include "base/pause.h"

namespace kura::vault {

Housekeeping::Housekeeping(Site& site, Times times, std::function<void(const std::string&, const base::Error&)> problem)
    : site_(site),
      times_(times),
      problem_(std::move(problem)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

void Housekeeping::keep(Holding& holding) {
  if (const auto expired = holding.expire(); !expired) problem_(holding.name(), expired.error());
  const std::int64_t delay = std::chrono::nanoseconds(times_.delay).count();
  if (const auto done = holding.carry_out(delay); !done) problem_(holding.name(), done.error());
  if (const auto collected = holding.collect(times_.grace); !collected) problem_(holding.name(), collected.error());
}

void Housekeeping::renew_locks(Holding& holding) {
  if (const base::Status renewed = holding.renew_locks(); !renewed) problem_(holding.name(), renewed.error());
}

void Housekeeping::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (const base::Status noted = site_.note_time(); !noted) problem_("clock", noted.error());
    const std::optional<std::string> doubt = site_.clock_doubt();
    if (doubt) {
      problem_("clock", {base::ErrorCode::kConflict, *doubt + "; nothing expires until a person has looked",
                         "set the machine's clock right, then run `kura-vault clock trust`"});
    }
    site_.try_closed_again();
    for (Holding* holding : site_.holdings()) {
      if (stop.stop_requested()) return;
      if (!doubt) keep(*holding);
      renew_locks(*holding);
    }
    base::pause_for(times_.pause, stop);
  }
}

}  // namespace kura::vault
