// How long to wait before a request is sent again: "full jitter", so that many machines that were refused together do
// not come back together.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace kura::store::http {

class BackOff {
 public:
  using Milliseconds = std::chrono::milliseconds;
  static constexpr Milliseconds kFirst{200};
  static constexpr Milliseconds kMost{20'000};

  // Between zero and a bound that doubles with each call; `chance` is uniform over 64 bits.
  Milliseconds next(std::uint64_t chance) {
    const auto bound = static_cast<std::uint64_t>(bound_.count());
    bound_ = std::min(2 * bound_, kMost);
    return Milliseconds(static_cast<std::int64_t>(chance % (bound + 1)));
  }

 private:
  Milliseconds bound_ = kFirst;
};

}  // namespace kura::store::http
