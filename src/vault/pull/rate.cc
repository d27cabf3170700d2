#include "vault/pull/rate.h"

#include <algorithm>
#include <ctime>
#include <optional>

#include <fmt/format.h>

#include "base/escape.h"
#include "base/number.h"
#include "base/pause.h"

namespace kura::vault {
namespace {

constexpr unsigned kMinutes = 24 * 60;  // of a day

std::unexpected<base::Error> no_rate(std::string_view text) {
  return base::fail(base::ErrorCode::kUsage, fmt::format("'{}' is no rate", base::printable(text)),
                    "write bytes a second such as 20M or 500K, and for a time of the day 08:00-19:00=5M");
}

std::optional<std::uint64_t> bytes_of(std::string_view text) {
  std::uint64_t unit = 1;
  for (const auto& [letter, bytes] : {std::pair{'K', 1'000U}, {'M', 1'000'000U}, {'G', 1'000'000'000U}}) {
    if (text.ends_with(letter)) unit = bytes;
  }
  if (unit != 1) text.remove_suffix(1);
  const auto number = base::parse_number<std::uint64_t>(text);
  if (!number || *number > INT64_MAX / unit) return std::nullopt;
  return *number * unit;
}

// "08:30" in minutes; "24:00" is the end of the day.
std::optional<unsigned> minute_of(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon != 2 || text.size() != 5) return std::nullopt;
  const auto hour = base::parse_number<unsigned>(text.substr(0, 2));
  const auto minute = base::parse_number<unsigned>(text.substr(3));
  if (!hour || !minute || *minute > 59 || *hour * 60 + *minute > kMinutes) return std::nullopt;
  return *hour * 60 + *minute;
}

unsigned minute_now() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  return static_cast<unsigned>(local.tm_hour * 60 + local.tm_min);
}

}  // namespace

base::Result<RateSchedule> RateSchedule::parse(std::string_view rate, const std::vector<std::string>& windows) {
  RateSchedule schedule;
  if (!rate.empty()) {
    const auto usual = bytes_of(rate);
    if (!usual) return no_rate(rate);
    schedule.usual_ = *usual;
  }
  for (const std::string& text : windows) {
    const std::string_view window = text;
    const std::size_t dash = std::min(window.find('-'), window.size());
    const std::size_t equals = std::min(window.find('='), window.size());
    if (dash >= equals || equals == window.size()) return no_rate(text);
    const auto begin = minute_of(window.substr(0, dash));
    const auto end = minute_of(window.substr(dash + 1, equals - dash - 1));
    const auto bytes = bytes_of(window.substr(equals + 1));
    if (!begin || !end || !bytes) return no_rate(text);
    schedule.windows_.push_back({.begin = *begin, .end = *end, .rate = *bytes});
  }
  return schedule;
}

std::uint64_t RateSchedule::at(unsigned minute) const {
  for (const Window& window : windows_) {
    const bool over_midnight = window.begin > window.end;
    const bool after = minute >= window.begin, before = minute < window.end;
    if (over_midnight ? after || before : after && before) return window.rate;
  }
  return usual_;
}

bool Pace::wait_for(std::uint64_t bytes, const std::stop_token& stop) {
  if (stop.stop_requested()) return false;
  const std::uint64_t rate = schedule_.has_limit() ? schedule_.at(minute_now()) : 0;
  if (rate == 0) return true;
  const std::chrono::duration<double> takes(static_cast<double>(bytes) / static_cast<double>(rate));
  const Clock::time_point now = Clock::now();
  Clock::time_point until;
  {
    const base::MutexLock lock(mutex_);
    until = std::max(free_, now) + std::chrono::duration_cast<Clock::duration>(takes);
    free_ = until;
  }
  return base::pause_for(until - now, stop);
}

}  // namespace kura::vault
