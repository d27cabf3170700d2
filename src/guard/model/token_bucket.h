// So many a second on average, and so many at once; who comes too early is told how long to wait.
#pragma once

#include <algorithm>
#include <chrono>

namespace kura::guard {

// Not shared between threads.
class OpenBucket {
 public:
  using Clock = std::chrono::steady_clock;

  OpenBucket(double per_second, double at_once) : per_second_(per_second), at_once_(at_once), left_(at_once) {}

  // Takes one, on credit if need be. How long the taker has to wait for it; never more than `most`, since an open that
  // waits for ever is worse than the attack: what is over it is forgiven.
  Clock::duration take(Clock::time_point now, Clock::duration most) {
    const double since = std::chrono::duration<double>(now - last_).count();
    last_ = std::max(last_, now);
    left_ = std::min(at_once_, left_ + std::max(since, 0.0) * per_second_);
    left_ = std::max(left_ - 1, -std::chrono::duration<double>(most).count() * per_second_);
    if (left_ >= 0) return Clock::duration::zero();
    return std::min(most,
                    std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(-left_ / per_second_)));
  }

 private:
  double per_second_;
  double at_once_;
  double left_;
  Clock::time_point last_{};
};

}  // namespace kura::guard
