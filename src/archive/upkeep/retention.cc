#include "archive/upkeep/retention.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "archive/repo/calendar.h"
#include "base/time.h"

namespace kura::archive {
namespace {

namespace chr = std::chrono;

constexpr std::int64_t kMinute = 60LL * 1'000'000'000;  // ns
constexpr std::int64_t kHour = 60 * kMinute;

std::string day_name(std::int64_t ns) {
  const chr::year_month_day date(date_of(ns));
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()));
}
std::string hour_name(std::int64_t ns) { return fmt::format("{}T{:02}", day_name(ns), hour_of(ns) - day_of(ns) * 24); }
// The year of a week is that of its Thursday (ISO 8601).
std::string week_name(std::int64_t ns) {
  const chr::sys_days monday(chr::days(week_of(ns) * 7 - 3));
  const chr::sys_days thursday = monday + chr::days(3);
  const chr::year year = chr::year_month_day(thursday).year();
  const auto days = thursday - chr::sys_days(year / chr::January / 1);
  return fmt::format("{:04}-W{:02}", static_cast<int>(year), days.count() / 7 + 1);
}
std::string month_name(std::int64_t ns) { return day_name(ns).substr(0, day_name(ns).rfind('-')); }
std::string year_name(std::int64_t ns) { return fmt::format("{:04}", year_of(ns)); }

struct Unit {
  const char* name;
  unsigned RetentionPolicy::* count;
  std::int64_t lag, lead;  // ns: how far the machine's time may be before, and after, the store's
  std::int64_t (*bucket)(std::int64_t ns);
  std::string (*bucket_name)(std::int64_t ns);
};

constexpr std::array kUnits = {
    Unit{"hourly", &RetentionPolicy::hourly, 30 * kMinute, 15 * kMinute, hour_of, hour_name},
    Unit{"daily", &RetentionPolicy::daily, 12 * kHour, kHour, day_of, day_name},
    Unit{"weekly", &RetentionPolicy::weekly, 26 * kHour, kHour, week_of, week_name},
    Unit{"monthly", &RetentionPolicy::monthly, 26 * kHour, kHour, month_of, month_name},
    Unit{"yearly", &RetentionPolicy::yearly, 26 * kHour, kHour, year_of, year_name},
};

// a - b, or the nearest that fits.
std::int64_t difference(std::int64_t a, std::int64_t b) {
  std::int64_t result;
  if (!__builtin_sub_overflow(a, b, &result)) return result;
  return a < b ? INT64_MIN : INT64_MAX;
}

bool in_doubt(const StoredSnapshot& snapshot, const Unit& unit) {
  const std::int64_t age = difference(snapshot.received, snapshot.snapshot.started);
  return age > unit.lag || age < -unit.lead;
}

using Members = std::vector<std::size_t>;  // positions in the list of snapshots, in the order received

// Marks what one kind of bucket keeps of one series.
void keep_buckets(const std::vector<StoredSnapshot>& snapshots, const Members& series, const Unit& unit, unsigned count,
                  std::vector<KeepDecision>& decisions) {
  std::map<std::int64_t, Members> received;
  for (const std::size_t member : series) received[unit.bucket(snapshots[member].received)].push_back(member);

  unsigned used = 0;
  for (auto bucket = received.rbegin(); bucket != received.rend() && used < count; ++bucket, ++used) {
    std::set<std::int64_t> taken;
    for (const std::size_t member : bucket->second) {
      const StoredSnapshot& snapshot = snapshots[member];
      const std::int64_t time = in_doubt(snapshot, unit) ? snapshot.snapshot.started : snapshot.received;
      if (!taken.insert(unit.bucket(time)).second) continue;
      std::string reason = fmt::format("{} {}", unit.name, unit.bucket_name(snapshot.received));
      if (unit.bucket(time) != bucket->first) reason += ", claims " + unit.bucket_name(time);
      decisions[member].reasons.push_back(std::move(reason));
    }
  }
}

std::string duration_name(std::int64_t ns) {
  constexpr std::array<std::pair<std::int64_t, char>, 3> kUnitsOfTime = {
      {{24 * kHour, 'd'}, {kHour, 'h'}, {kMinute, 'm'}}};
  for (const auto& [unit, letter] : kUnitsOfTime) {
    if (ns >= unit && ns % unit == 0) return fmt::format("{}{}", ns / unit, letter);
  }
  return fmt::format("{}s", ns / base::kSecond);
}

}  // namespace

std::vector<KeepDecision> decide(const std::vector<StoredSnapshot>& snapshots, const RetentionPolicy& policy,
                                 std::int64_t now) {
  std::vector<KeepDecision> decisions(snapshots.size());
  std::map<std::pair<crypto::PublicKey, Series>, Members> all_series;
  for (std::size_t i = 0; i < snapshots.size(); ++i) {
    const StoredSnapshot& snapshot = snapshots[i];
    decisions[i].id = snapshot.id;
    all_series[{snapshot.snapshot.machine, snapshot.snapshot.series}].push_back(i);
    if (policy.empty()) decisions[i].reasons.emplace_back("no rule");
    if (policy.within > 0 && snapshot.received >= difference(now, policy.within)) {
      decisions[i].reasons.push_back("within " + duration_name(policy.within));
    }
  }
  for (const auto& [key, series] : all_series) {
    decisions[series.back()].reasons.emplace_back("newest");
    for (const Unit& unit : kUnits) {
      if (const unsigned count = policy.*unit.count) keep_buckets(snapshots, series, unit, count, decisions);
    }
  }
  for (KeepDecision& decision : decisions) decision.keep = !decision.reasons.empty();
  return decisions;
}

}  // namespace kura::archive
