// So many a second on average, and so many at once.
#pragma once

#include <algorithm>
#include <chrono>

namespace kura::vault {

// Not shared between threads.
class TokenBucket {
 public:
  using Clock = std::chrono::steady_clock;

  TokenBucket(double per_second, double at_once) : per_second_(per_second), at_once_(at_once), left_(at_once) {}

  // False when it is too many.
  bool take(Clock::time_point now) {
    const double since = std::chrono::duration<double>(now - last_).count();
    last_ = now;
    left_ = std::min(at_once_, left_ + std::max(since, 0.0) * per_second_);
    if (left_ < 1) return false;
    left_ -= 1;
    return true;
  }

 private:
  double per_second_;
  double at_once_;
  double left_;
  Clock::time_point last_ = Clock::now();
};

}  // namespace kura::vault
