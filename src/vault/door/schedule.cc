#include "vault/door/schedule.h"

#include <algorithm>
#include <array>
#include <ctime>

#include <fmt/format.h>

#include "base/escape.h"
#include "base/number.h"
#include "base/time.h"

namespace kura::vault {
namespace {

using base::ErrorCode;
using base::Result;

constexpr std::array<std::string_view, 7> kDays{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
constexpr std::chrono::minutes kLongest{24 * 60};

std::unexpected<base::Error> no_hours(std::string_view text) {
  return base::fail(ErrorCode::kUsage, fmt::format("'{}' does not say when", base::printable(text)),
                    "write --at 02:00 --for 3h, and --days mon,tue unless it is every day; at most 24 hours");
}

// The part up to `mark`, which is taken away with it.
std::string_view next_part(std::string_view& text, char mark) {
  const std::string_view part = text.substr(0, text.find(mark));
  text.remove_prefix(std::min(text.size(), part.size() + 1));
  return part;
}

std::optional<unsigned> parse_minute(std::string_view text) {
  const auto hour = base::parse_number<unsigned>(next_part(text, ':'));
  const auto minute = base::parse_number<unsigned>(text);
  if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
  return *hour * 60 + *minute;
}

std::optional<unsigned> parse_days(std::string_view text) {
  unsigned days = 0;
  while (!text.empty()) {
    const auto* const day = std::ranges::find(kDays, next_part(text, ','));
    if (day == kDays.end()) return std::nullopt;
    days |= 1U << (day - kDays.begin());
  }
  return days == 0 ? std::nullopt : std::optional(days);
}

}  // namespace

Result<Hours> Hours::parse(std::string_view text) {
  std::string_view rest = text;
  std::string_view when = next_part(rest, '@');
  const auto minute = parse_minute(next_part(when, '+'));
  const auto length = base::parse_duration(when);
  const auto days = rest.empty() ? std::optional(kEveryDay) : parse_days(rest);
  if (!minute || !length || !days || *length > kLongest || *length < std::chrono::minutes(1)) return no_hours(text);
  return Hours{.minute = *minute, .length = std::chrono::floor<std::chrono::minutes>(*length), .days = *days};
}

std::string Hours::text() const {
  const bool whole = length.count() % 60 == 0;
  std::string text = fmt::format("{:02}:{:02}+{}{}", minute / 60, minute % 60,
                                 whole ? length.count() / 60 : length.count(), whole ? 'h' : 'm');
  for (std::size_t day = 0; days != kEveryDay && day < kDays.size(); ++day) {
    if ((days >> day & 1U) != 0) text += (text.contains('@') ? "," : "@") + std::string(kDays[day]);
  }
  return text;
}

// They may have begun yesterday.
std::optional<std::int64_t> Hours::end_at(std::int64_t now) const {
  const std::time_t seconds = now / base::kSecond;
  std::optional<std::int64_t> end;
  for (const int days_before : {0, 1}) {
    std::tm begin{};
    if (::localtime_r(&seconds, &begin) == nullptr) return std::nullopt;
    begin.tm_mday -= days_before;
    begin.tm_hour = static_cast<int>(minute / 60);
    begin.tm_min = static_cast<int>(minute % 60);
    begin.tm_sec = 0;
    begin.tm_isdst = -1;
    const std::time_t begins = std::mktime(&begin);
    const std::time_t ends = begins + std::chrono::seconds(length).count();
    const auto day = static_cast<unsigned>((begin.tm_wday + 6) % 7);
    if ((days >> day & 1U) != 0 && begins <= seconds && seconds < ends) {
      end = std::max(end.value_or(0), ends * base::kSecond);
    }
  }
  return end;
}

Result<Schedule> Schedule::parse(std::string_view text) {
  Schedule schedule;
  if (text == "none") return schedule;
  while (!text.empty()) {
    const std::string_view word = next_part(text, ' ');
    if (!word.empty()) KURA_TRY(schedule.add(KURA_TRY(Hours::parse(word))));
  }
  return schedule;
}

std::string Schedule::text() const {
  std::string text;
  for (const Hours& hours : hours_) text += (text.empty() ? "" : " ") + hours.text();
  return text.empty() ? "none" : text;
}

base::Status Schedule::add(const Hours& hours) {
  if (std::ranges::find(hours_, hours) != hours_.end()) return {};
  if (hours_.size() == kMost) {
    return base::fail(ErrorCode::kUsage, fmt::format("a machine has at most {} hours", kMost),
                      "begin anew with `kura-vault door schedule MACHINE --none`");
  }
  hours_.push_back(hours);
  return {};
}

std::optional<std::int64_t> Schedule::end_at(std::int64_t now) const {
  std::optional<std::int64_t> end;
  for (const Hours& hours : hours_) {
    if (const auto one = hours.end_at(now)) end = std::max(end.value_or(0), *one);
  }
  return end;
}

}  // namespace kura::vault
