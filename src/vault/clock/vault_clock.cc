#include "vault/clock/vault_clock.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include <fmt/format.h>

namespace kura::vault {
namespace {

constexpr std::int64_t kDay = 24LL * 3600 * base::kSecond;

std::int64_t boot_time() {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return time.tv_sec * base::kSecond + time.tv_nsec;
}

}  // namespace

VaultClock::Sources VaultClock::machine() { return {.wall = base::now_ns, .steady = boot_time}; }

VaultClock::VaultClock(Sources sources) : sources_(std::move(sources)) {
  const base::MutexLock lock(mutex_);
  begin_at(sources_.wall());
}

void VaultClock::begin_at(std::int64_t time) {
  begin_ = time;
  since_ = sources_.steady();
}

void VaultClock::saw(std::int64_t time) {
  const base::MutexLock lock(mutex_);
  seen_ = std::max(seen_, time);
}

void VaultClock::start(bool was_in_doubt) {
  const base::MutexLock lock(mutex_);
  const std::int64_t wall = sources_.wall();
  begin_at(wall);
  if (seen_ == 0) return;
  const auto is_in_doubt = [&](std::string why) KURA_REQUIRES(mutex_) {
    doubt_ = std::move(why);
    begin_at(seen_);
  };
  if (was_in_doubt) {
    is_in_doubt("it was in doubt when the vault ran last");
  } else if (wall < seen_ - kMostStep) {
    is_in_doubt(fmt::format("at the start the machine's clock showed {}, which is before {}, the last time seen",
                            base::format_rfc3339(wall), base::format_rfc3339(seen_)));
  } else if (wall > seen_ + kMostGap) {
    is_in_doubt(fmt::format("at the start the machine's clock showed {}, long after {}, the last time seen",
                            base::format_rfc3339(wall), base::format_rfc3339(seen_)));
  }
}

// What time it is, and whether the machine's clock can be right.
std::int64_t VaultClock::look() {
  const std::int64_t wall = sources_.wall();
  const std::int64_t counted = sources_.steady() - since_;
  const std::int64_t expected = begin_ + counted;
  const std::int64_t allowed =
      kMostStep + static_cast<std::int64_t>(static_cast<double>(counted) / kDay * kMostDriftADay);
  if (!doubt_ && (wall < expected - allowed || wall > expected + allowed)) {
    doubt_ = fmt::format("the machine's clock jumped to {} when it was {}", base::format_rfc3339(wall),
                         base::format_rfc3339(expected));
  }
  seen_ = std::max(seen_, doubt_ ? expected : wall);
  return seen_;
}

std::int64_t VaultClock::now() {
  const base::MutexLock lock(mutex_);
  return look();
}

std::optional<std::string> VaultClock::doubt() {
  const base::MutexLock lock(mutex_);
  look();
  return doubt_;
}

void VaultClock::trust() {
  const base::MutexLock lock(mutex_);
  doubt_.reset();
  begin_at(sources_.wall());
}

}  // namespace kura::vault
