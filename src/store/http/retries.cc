#include "store/http/retries.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/pause.h"
#include "crypto/random.h"

namespace kura::store::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int kFewestTries = 3;  // of a request that takes longer than the retry time, too

std::uint64_t chance() {
  std::uint64_t value = 0;
  std::uint8_t bytes[sizeof value];
  crypto::fill_random(bytes);
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

}  // namespace

Retries::Retries(std::stop_token stop, std::optional<seconds> patience)
    : stop_(std::move(stop)), patience_(patience), begun_(Clock::now()) {}

bool Retries::is_worth_waiting(milliseconds wait, seconds time) const {
  const Clock::time_point next = Clock::now() + wait;
  if (patience_) return next <= begun_ + *patience_;
  return failures_ < kFewestTries || next <= *first_failure_ + time;
}

Retries::Next Retries::after_failure(seconds time, std::optional<milliseconds> asked) {
  ++failures_;
  if (!first_failure_) first_failure_ = Clock::now();
  milliseconds wait = back_off_.next(chance());
  if (asked) wait = std::max<milliseconds>(wait, std::min<milliseconds>(*asked, time));
  if (!is_worth_waiting(wait, time)) return Next::kGiveUp;
  return base::pause_for(wait, stop_) ? Next::kAgain : Next::kStopped;
}

}  // namespace kura::store::http
