// Whether and when a request that came to no good end is sent again: after a random time between zero and a bound that
// doubles, or as long as the server asks for, until `time` has gone by since the first failure, and three times at
// least. With `patience` the time is counted from when the request began, however few tries that makes.
//
//   Retries retries(stop, patience);
//   while (true) {
//     auto result = try_once();
//     if (result || !may_pass(result)) return result;
//     if (retries.after_failure(time, asked) != Retries::Next::kAgain) return result;
//   }
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>

#include "store/http/back_off.h"

namespace kura::store::http {

// Of one request; used by one thread.
class Retries {
 public:
  enum class Next { kAgain, kGiveUp, kStopped };

  explicit Retries(std::stop_token stop, std::optional<std::chrono::seconds> patience = {});
  // Has waited when it says kAgain.
  Next after_failure(std::chrono::seconds time, std::optional<std::chrono::milliseconds> asked);

 private:
  using Clock = std::chrono::steady_clock;
  bool is_worth_waiting(std::chrono::milliseconds wait, std::chrono::seconds time) const;

  const std::stop_token stop_;
  const std::optional<std::chrono::seconds> patience_;
  const Clock::time_point begun_;
  std::optional<Clock::time_point> first_failure_;
  BackOff back_off_;
  int failures_ = 0;
};

}  // namespace kura::store::http
