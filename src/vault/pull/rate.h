// How fast a vault may pull, by the time of the day, over all connections together.
//
//   Pace pace(KURA_TRY(RateSchedule::parse("20M", {"08:00-19:00=5M"})));
//   if (!pace.wait_for(bytes.size(), stop)) ...          // by whoever has received some; stopped
#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"

namespace kura::vault {

class RateSchedule {
 public:
  // `rate`: bytes a second, such as "20M" (K, M, G: powers of 1024); empty: no limit. `windows`: "HH:MM-HH:MM=RATE" in
  // this machine's time, from the first to before the second, over midnight too; the first that fits counts; RATE "0":
  // no limit. kUsage.
  static base::Result<RateSchedule> parse(std::string_view rate, const std::vector<std::string>& windows);

  // Bytes a second in that minute of the day (0 to 1439); 0: no limit.
  std::uint64_t at(unsigned minute) const;
  bool has_limit() const { return usual_ != 0 || !windows_.empty(); }

 private:
  struct Window {
    unsigned begin = 0, end = 0;  // minutes of the day
    std::uint64_t rate = 0;
  };
  std::uint64_t usual_ = 0;
  std::vector<Window> windows_;
};

// Shared by threads. Who has received bytes waits for as long as they take at the rate of the moment: the line's own
// flow control then slows the sender, and no connection has a share that it does not use.
class Pace {
 public:
  explicit Pace(RateSchedule schedule) : schedule_(std::move(schedule)) {}
  // False when it was stopped.
  bool wait_for(std::uint64_t bytes, const std::stop_token& stop);

 private:
  using Clock = std::chrono::steady_clock;
  const RateSchedule schedule_;
  base::Mutex mutex_;
  Clock::time_point free_ KURA_GUARDED_BY(mutex_);  // when what came so far has had its time
};

}  // namespace kura::vault
