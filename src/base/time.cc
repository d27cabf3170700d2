#include "base/time.h"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <optional>

#include <fmt/format.h>

namespace kura::base {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

std::unexpected<Error> not_a_time(std::string_view text) {
  return fail(ErrorCode::kUsage, fmt::format("\"{}\" is not a time that can be understood", text),
              "write it like 2026-03-01 or 2026-03-01T14:30:00Z, within the years 1678 to 2261");
}

// Reads a text from left to right; the first mismatch sticks.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  // Exactly `count` digits.
  int digits(std::size_t count) {
    int value = 0;
    if (rest_.size() < count) return fail();
    for (const char c : rest_.substr(0, count)) {
      if (c < '0' || c > '9') return fail();
      value = 10 * value + (c - '0');
    }
    rest_.remove_prefix(count);
    return value;
  }
  bool take(std::string_view any_of) {
    if (rest_.empty() || !any_of.contains(rest_.front())) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void need(std::string_view any_of) {
    if (!take(any_of)) fail();
  }
  // One or more digits behind a decimal point, as nanoseconds.
  std::int64_t fraction() {
    std::int64_t value = 0, unit = kSecond / 10;
    std::size_t count = 0;
    for (; count < rest_.size() && rest_[count] >= '0' && rest_[count] <= '9'; ++count, unit /= 10) {
      value += unit * (rest_[count] - '0');
    }
    if (count == 0) return fail();
    rest_.remove_prefix(count);
    return value;
  }
  bool at_end() const { return rest_.empty(); }
  bool ok() const { return ok_; }

 private:
  int fail() {
    ok_ = false;
    rest_ = {};
    return 0;
  }
  std::string_view rest_;
  bool ok_ = true;
};

std::optional<std::chrono::sys_days> scan_date(Scanner& in) {
  const int year = in.digits(4);
  in.need("-");
  const int month = in.digits(2);
  in.need("-");
  const int day = in.digits(2);
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!in.ok() || !date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

struct TimeOfDay {
  seconds whole{0};
  std::int64_t ns = 0;
};

std::optional<TimeOfDay> scan_time(Scanner& in) {
  const int hour = in.digits(2);
  in.need(":");
  const int minute = in.digits(2);
  int second = 0;
  TimeOfDay time;
  if (in.take(":")) {
    second = in.digits(2);
    if (in.take(".,")) time.ns = in.fraction();
  }
  // 60 is a leap second, which Unix time does not have: it becomes the first of the next minute.
  if (!in.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  time.whole = std::chrono::hours(hour) + std::chrono::minutes(minute) + seconds(second);
  return time;
}

// What has to be subtracted to come to UTC.
std::optional<seconds> scan_offset(Scanner& in) {
  if (in.at_end() || in.take("Zz")) return seconds(0);
  const bool east = in.take("+");
  if (!east) in.need("-");
  const int hours = in.digits(2);
  in.need(":");
  const int minutes = in.digits(2);
  if (!in.ok() || hours > 23 || minutes > 59) return std::nullopt;
  const seconds offset = std::chrono::hours(hours) + std::chrono::minutes(minutes);
  return east ? offset : -offset;
}

// Without the letter at its end. Of the years 0 to 9999.
std::string format_second(std::chrono::sys_seconds second) {
  const auto day = std::chrono::floor<std::chrono::days>(second);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(second - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

std::int64_t seconds_of_unit(char unit) {
  switch (unit) {
    case 's':
      return 1;
    case 'm':
      return 60;
    case 'h':
      return 3600;
    case 'd':
      return 86400;
    case 'w':
      return std::int64_t{7} * 86400;
    case 'y':
      return std::int64_t{365} * 86400;
    default:
      return 0;
  }
}

}  // namespace

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

std::string format_rfc3339(std::int64_t ns, TimePrecision precision) {
  const std::chrono::sys_time<nanoseconds> time{nanoseconds(ns)};
  std::string text = format_second(std::chrono::floor<seconds>(time));
  // Not the difference of the two: converting the first representable second to nanoseconds would overflow.
  const std::int64_t fraction = (ns % kSecond + kSecond) % kSecond;
  if (precision == TimePrecision::kMilliseconds) text += fmt::format(".{:03}", fraction / 1'000'000);
  if (precision == TimePrecision::kNanoseconds) text += fmt::format(".{:09}", fraction);
  return text + "Z";
}

std::string format_rfc3339_seconds(std::int64_t since_1970) {
  constexpr std::chrono::sys_seconds kFirst = std::chrono::sys_days(std::chrono::year(0) / 1 / 1);
  constexpr std::chrono::sys_seconds kEnd = std::chrono::sys_days(std::chrono::year(10'000) / 1 / 1);
  const std::chrono::sys_seconds second{seconds(since_1970)};
  return format_second(std::clamp(second, kFirst, kEnd - seconds(1))) + "Z";
}

Result<std::int64_t> parse_rfc3339(std::string_view text) {
  Scanner in(text);
  const auto date = scan_date(in);
  if (!date) return not_a_time(text);
  TimeOfDay time;
  seconds offset{0};
  if (!in.at_end()) {
    in.need("Tt ");
    const auto scanned_time = scan_time(in);
    if (!scanned_time) return not_a_time(text);
    time = *scanned_time;
    const auto scanned_offset = scan_offset(in);
    if (!scanned_offset) return not_a_time(text);
    offset = *scanned_offset;
  }
  if (!in.ok() || !in.at_end()) return not_a_time(text);
  const seconds since_epoch = date->time_since_epoch() + time.whole - offset;
  std::int64_t ns = 0;
  if (__builtin_mul_overflow(since_epoch.count(), kSecond, &ns) || __builtin_add_overflow(ns, time.ns, &ns)) {
    return not_a_time(text);
  }
  return ns;
}

Result<std::chrono::seconds> parse_duration(std::string_view text) {
  const auto refused = [&] {
    return fail(ErrorCode::kUsage, fmt::format("\"{}\" is not a duration that can be understood", text),
                "write a whole number and a unit, like 90s, 15m, 12h, 7d, 4w or 1y");
  };
  if (text.empty()) return refused();
  std::int64_t total = 0;
  const char* const end = text.data() + text.size();
  for (const char* at = text.data(); at != end;) {
    std::uint32_t number = 0;
    const auto [unit, error] = std::from_chars(at, end, number);
    if (error != std::errc() || unit == end || seconds_of_unit(*unit) == 0) return refused();
    std::int64_t part = 0;
    if (__builtin_mul_overflow(std::int64_t{number}, seconds_of_unit(*unit), &part) ||
        __builtin_add_overflow(total, part, &total)) {
      return refused();
    }
    at = unit + 1;
  }
  return seconds(total);
}

}  // namespace kura::base
