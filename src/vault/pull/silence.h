// Whether a followed vault has been silent for too long: nothing has come from it that proves right, or its time stands
// still. Counted by a clock that nobody sets.
#pragma once

#include <chrono>
#include <cstdint>

namespace kura::vault {

// Not shared between threads.
class Silence {
 public:
  using Clock = std::chrono::steady_clock;

  // `longest`: 0 is for ever.
  Silence(std::chrono::seconds longest, Clock::time_point now) : longest_(longest), heard_(now) {}

  // It was heard at `now`, and its clock showed `time` (ns since 1970).
  void heard(Clock::time_point now, std::int64_t time) {
    if (time <= newest_) return;
    newest_ = time;
    heard_ = now;
    is_told_ = false;
  }
  // Once, when it has been silent for too long, until it is heard again.
  bool is_news(Clock::time_point now) {
    if (is_told_ || longest_.count() == 0 || now - heard_ < longest_) return false;
    is_told_ = true;
    return true;
  }

  // Something came that proved right.
  void came(Clock::time_point now) {
    heard_ = now;
    is_told_ = false;
  }

 private:
  const std::chrono::seconds longest_;
  Clock::time_point heard_;
  std::int64_t newest_ = 0;  // of its times
  bool is_told_ = false;
};

}  // namespace kura::vault
