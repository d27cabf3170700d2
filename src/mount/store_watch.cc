#include "mount/store_watch.h"

#include <utility>

#include <fmt/format.h>

namespace kura::mount {

using base::Error;

// One at a time. Who has waited meanwhile takes the answer that the store is away; and when that took long to find out,
// it is not looked for again for as long, so that readers wait half of the time at most.
base::Status StoreWatch::look() {
  const Clock::time_point asked = Clock::now();
  const base::MutexLock one_at_a_time(looking_);
  if (last_ && !last_->seen) {
    if (last_->ended >= asked || Clock::now() - last_->ended < last_->ended - last_->began) return last_->seen;
  }
  const Clock::time_point began = Clock::now();
  const auto config = repository_.store().stat(store::Kind::kConfig, repository_.config_id());
  base::Status seen = config ? base::Status() : went_away(config.error());
  if (seen) answered();
  last_ = {.began = began, .ended = Clock::now(), .seen = seen};
  return seen;
}

base::Status StoreWatch::went_away(const Error& why) {
  if (why.code() == base::ErrorCode::kInterrupted) return base::fail(why);
  Error error(base::ErrorCode::kIo,
              fmt::format("{} does not answer ({})", repository_.store().describe(), why.message()),
              "see whether its disk is mounted and its server runs; until it is back, reading gives errors");
  {
    // What it says may change while it is away: the first is enough.
    const auto told = told_.lock();
    if (*told) return base::fail(**told);
    *told = error;
    is_away_.store(true, std::memory_order_relaxed);
  }
  troubles_.met("", error);
  return base::fail(std::move(error));
}

bool StoreWatch::is_forgotten(const store::ObjectId& snapshot) const {
  const auto found = repository_.store().stat(store::Kind::kSnapshot, snapshot);
  return !found && found.error().code() == base::ErrorCode::kNotFound;
}

void StoreWatch::came_back() {
  const auto told = told_.lock();
  is_away_.store(false, std::memory_order_relaxed);
  if (*told) troubles_.mended(**told);
  told->reset();
}

}  // namespace kura::mount
