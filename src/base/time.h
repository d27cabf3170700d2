// Points in time as nanoseconds since 1970 (Unix time, no leap seconds), in 64 bits: the years 1677 to 2262.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace kura::base {

inline constexpr std::int64_t kSecond = 1'000'000'000;  // ns

// The machine's clock (CLOCK_REALTIME): it can jump, and may be wrong. For intervals use std::chrono::steady_clock.
std::int64_t now_ns();

enum class TimePrecision { kSeconds, kMilliseconds, kNanoseconds };

// RFC 3339 in UTC, "2026-03-01T14:30:05Z"; finer parts are cut off (towards the past), not rounded.
std::string format_rfc3339(std::int64_t ns, TimePrecision precision = TimePrecision::kSeconds);

// The same for seconds since 1970, as files have them: any year. What RFC 3339 has no form for, before the year 0 and
// after 9999, comes out as the first and the last second that it has one for.
std::string format_rfc3339_seconds(std::int64_t since_1970);

// RFC 3339, and shorter forms that people type: "2026-03-01", "2026-03-01T14:30", "2026-03-01 14:30:05.25+09:00".
// Without Z or offset it is UTC; without a time it is the day's first moment. Digits past nanoseconds are cut off.
// kUsage when it is no such time or outside of the 64 bits.
Result<std::int64_t> parse_rfc3339(std::string_view text);

// "90s", "15m", "12h", "7d", "4w", "1y" (365 days), or several in a row ("1d12h"). kUsage when it is not.
Result<std::chrono::seconds> parse_duration(std::string_view text);

}  // namespace kura::base
