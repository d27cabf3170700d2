// The buckets of time that retention counts by, as numbers that rise by one from bucket to bucket: hours, days, weeks
// that begin on Monday (ISO 8601), months and years, all in UTC. `ns` since 1970, any value.
#pragma once

#include <chrono>
#include <cstdint>

namespace kura::archive {

inline std::chrono::sys_days date_of(std::int64_t ns) {
  return std::chrono::floor<std::chrono::days>(
      std::chrono::sys_time<std::chrono::nanoseconds>(std::chrono::nanoseconds(ns)));
}

inline std::int64_t hour_of(std::int64_t ns) {
  return std::chrono::floor<std::chrono::hours>(std::chrono::nanoseconds(ns)).count();
}
inline std::int64_t day_of(std::int64_t ns) { return date_of(ns).time_since_epoch().count(); }
inline std::int64_t week_of(std::int64_t ns) {
  constexpr std::int64_t kMondayBeforeEpoch = 3;  // 1970-01-01 was a Thursday
  return std::chrono::floor<std::chrono::weeks>(std::chrono::days(day_of(ns) + kMondayBeforeEpoch)).count();
}
inline std::int64_t year_of(std::int64_t ns) {
  return static_cast<int>(std::chrono::year_month_day(date_of(ns)).year());
}
inline std::int64_t month_of(std::int64_t ns) {
  return year_of(ns) * 12 + static_cast<unsigned>(std::chrono::year_month_day(date_of(ns)).month()) - 1;
}

}  // namespace kura::archive
