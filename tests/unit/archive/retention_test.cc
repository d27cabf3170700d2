// Retention: known answers, and the promises that hold whatever a client claims.
#include "archive/upkeep/retention.h"

#include <algorithm>
#include <chrono>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace kura::archive {
namespace {

using testing::Contains;
using testing::ElementsAre;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

std::int64_t at(int year, unsigned month, unsigned day, int hour = 0, int minute = 0) {
  const std::chrono::sys_days date = std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day);
  return date.time_since_epoch().count() * kDay + hour * kHour + minute * kMinute;
}

// A list of snapshots in the order received, and what becomes of it.
class History {
 public:
  std::size_t add(std::int64_t received, std::int64_t claimed, std::uint8_t series = 0) {
    StoredSnapshot stored;
    const auto number = static_cast<std::uint64_t>(snapshots_.size() + 1);
    std::memcpy(stored.id.bytes.data(), &number, sizeof number);
    stored.received = received;
    stored.snapshot.started = claimed;
    stored.snapshot.series[0] = series;
    snapshots_.push_back(std::move(stored));
    return snapshots_.size() - 1;
  }
  std::size_t add(std::int64_t received) { return add(received, received - 10 * kMinute); }

  std::vector<KeepDecision> decided(const RetentionPolicy& policy, std::int64_t now) const {
    return decide(snapshots_, policy, now);
  }
  std::vector<KeepDecision> decided(const RetentionPolicy& policy) const { return decided(policy, last()); }
  std::vector<std::size_t> kept(const RetentionPolicy& policy) const {
    std::vector<std::size_t> positions;
    const auto decisions = decided(policy);
    for (std::size_t i = 0; i < decisions.size(); ++i) {
      if (decisions[i].keep) positions.push_back(i);
    }
    return positions;
  }
  // What is left when `policy` is applied.
  History survivors(const RetentionPolicy& policy, std::int64_t now) const {
    History rest;
    const auto decisions = decided(policy, now);
    for (std::size_t i = 0; i < decisions.size(); ++i) {
      if (decisions[i].keep) rest.snapshots_.push_back(snapshots_[i]);
    }
    return rest;
  }
  std::set<store::ObjectId> ids() const {
    std::set<store::ObjectId> all;
    for (const StoredSnapshot& snapshot : snapshots_) all.insert(snapshot.id);
    return all;
  }
  std::int64_t last() const { return snapshots_.empty() ? 0 : snapshots_.back().received; }
  const std::vector<StoredSnapshot>& snapshots() const { return snapshots_; }
  std::size_t size() const { return snapshots_.size(); }

 private:
  std::vector<StoredSnapshot> snapshots_;
};

History dailies(int count, std::int64_t first_received) {
  History history;
  for (int day = 0; day < count; ++day) history.add(first_received + day * kDay);
  return history;
}

TEST(Retention, SevenGoodDailiesSurviveAFloodWithAnyClaimedTime) {
  History history = dailies(7, at(2026, 11, 18, 2));
  const std::int64_t flood = history.last() + 5 * kSecond;
  for (int i = 0; i < 10'000; ++i) history.add(flood + i * kSecond / 1000, at(2026, 11, 1) + (i - 5000) * kHour);
  for (const unsigned daily : {7U, 8U}) {
    const auto kept = history.kept({.daily = daily});
    for (std::size_t good = 0; good < 7; ++good) EXPECT_THAT(kept, Contains(good)) << "--keep-daily " << daily;
  }
}

TEST(Retention, SevenDailiesMadeWithAFakedClockWithinSecondsSurviveAFlood) {
  for (const std::int64_t last_claim_before : {0 * kHour, 1 * kHour, 11 * kHour, 13 * kHour, 40 * kDay}) {
    for (const int hour_of_receipt : {0, 5, 12, 23}) {
      History history;
      const std::int64_t received = at(2026, 11, 24, hour_of_receipt, 30);
      for (int day = 0; day < 7; ++day) {
        history.add(received + day * kSecond, received - last_claim_before - (6 - day) * kDay);
      }
      for (int i = 0; i < 10'000; ++i) history.add(received + 8 * kSecond + i, received + (i % 40 - 20) * kDay + i);
      const auto kept = history.kept({.daily = 7});
      for (std::size_t good = 0; good < 7; ++good) {
        EXPECT_THAT(kept, Contains(good)) << last_claim_before / kHour << " h, at " << hour_of_receipt;
      }
    }
  }
}

TEST(Retention, AYearOfDailiesKeepsTheFirstOfEachBucket) {
  const History history = dailies(365, at(2026, 1, 1, 3));  // to 2026-12-31, a Thursday
  const RetentionPolicy policy{.daily = 7, .weekly = 4, .monthly = 12};
  std::set<std::size_t> expected;
  const auto day_of_year = [](unsigned month, unsigned day) {
    return static_cast<std::size_t>((at(2026, month, day) - at(2026, 1, 1)) / kDay);
  };
  for (unsigned day = 25; day <= 31; ++day) expected.insert(day_of_year(12, day));
  for (const unsigned monday : {7U, 14U, 21U, 28U}) expected.insert(day_of_year(12, monday));
  for (unsigned month = 1; month <= 12; ++month) expected.insert(day_of_year(month, 1));
  const auto kept = history.kept(policy);
  EXPECT_EQ(std::set(kept.begin(), kept.end()), expected);

  const auto decisions = history.decided(policy);
  EXPECT_THAT(decisions[day_of_year(12, 1)].reasons, ElementsAre("monthly 2026-12"));
  EXPECT_THAT(decisions[day_of_year(12, 28)].reasons, ElementsAre("daily 2026-12-28", "weekly 2026-W53"));
  EXPECT_THAT(decisions[day_of_year(12, 31)].reasons, ElementsAre("newest", "daily 2026-12-31"));
}

TEST(Retention, ForgettingEveryDayKeepsTheSameAsForgettingOnce) {
  const RetentionPolicy policy{.daily = 7, .weekly = 4, .monthly = 12, .yearly = 3};
  History once, daily;
  for (int day = 0; day < 800; ++day) {
    const std::int64_t received = at(2024, 2, 20, 23, 50) + day * (kDay + 7 * kMinute);  // wanders over midnight
    once.add(received);
    daily.add(received, received - 10 * kMinute);
    // The same snapshot in both: its id is its number in `once`.
    daily = [&] {
      History rest;
      for (const StoredSnapshot& snapshot : daily.survivors(policy, received).snapshots()) {
        rest.add(snapshot.received, snapshot.snapshot.started);
      }
      return rest;
    }();
  }
  std::vector<std::int64_t> left_once, left_daily;
  for (const StoredSnapshot& s : once.survivors(policy, once.last()).snapshots()) left_once.push_back(s.received);
  for (const StoredSnapshot& s : daily.survivors(policy, once.last()).snapshots()) left_daily.push_back(s.received);
  EXPECT_EQ(left_once, left_daily);
}

TEST(Retention, WeeksAreThoseOfIso8601) {
  History history;
  history.add(at(2021, 1, 3, 12));    // Sunday of 2020-W53
  history.add(at(2021, 1, 4, 12));    // Monday of 2021-W01
  history.add(at(2024, 12, 30, 12));  // Monday of 2025-W01
  history.add(at(1969, 12, 29, 12));  // Monday of 1970-W01
  const auto decisions = history.decided({.weekly = 10});
  EXPECT_THAT(decisions[0].reasons, ElementsAre("weekly 2020-W53"));
  EXPECT_THAT(decisions[1].reasons, ElementsAre("weekly 2021-W01"));
  EXPECT_THAT(decisions[2].reasons, ElementsAre("weekly 2025-W01"));
  EXPECT_THAT(decisions[3].reasons, Contains("weekly 1970-W01"));
}

TEST(Retention, BackupsThatStraddleMidnightDoNotKeepTwoADay) {
  History history;
  for (int hour = 0; hour < 24 * 10; ++hour) {  // hourly; each takes from :50 to :05
    const std::int64_t received = at(2026, 11, 1, 0, 5) + hour * kHour;
    history.add(received, received - 15 * kMinute);
  }
  EXPECT_EQ(history.kept({.daily = 7}).size(), 7U + 1U);  // and the newest
  EXPECT_EQ(history.kept({.hourly = 48}).size(), 48U);
}

TEST(Retention, ANightlyBackupOfManyHoursKeepsOneADay) {
  for (const std::int64_t length : {3 * kHour, 11 * kHour, 20 * kHour}) {
    History history;
    for (int day = 0; day < 20; ++day)
      history.add(at(2026, 11, 1, 6) + day * kDay, at(2026, 11, 1, 6) + day * kDay - length);
    EXPECT_EQ(history.kept({.daily = 7}).size(), 7U) << length / kHour << " h";
  }
}

TEST(Retention, HourliesThatWereCopiedAtOnceAreAllKept) {
  History history;
  const std::int64_t copied = at(2026, 11, 24, 3);
  for (int hour = 0; hour < 24; ++hour) history.add(copied + hour * kSecond, copied - (24 - hour) * kHour);
  EXPECT_EQ(history.kept({.hourly = 24}).size(), 24U);
}

TEST(Retention, ACopiedHistoryIsKeptUntilTheDayOfTheCopyAgesOut) {
  History history;
  const std::int64_t copied = at(2026, 6, 15, 12);
  for (int day = 0; day < 365; ++day) history.add(copied + day * kSecond, copied - (365 - day) * kDay);
  const RetentionPolicy policy{.daily = 7, .monthly = 12};
  EXPECT_EQ(history.kept(policy).size(), 365U);
  EXPECT_THAT(history.decided(policy)[100].reasons, Contains("daily 2026-06-15, claims 2025-09-23"));
  for (int day = 1; day <= 7; ++day) history.add(copied + day * kDay);
  // Of the copies one a claimed month is left; of the days after, seven.
  EXPECT_EQ(history.kept(policy).size(), 13U + 7U);
}

TEST(Retention, APolicyWithoutRulesForgetsNothing) {
  const History history = dailies(30, at(2026, 1, 1));
  EXPECT_EQ(history.kept({}).size(), 30U);
}

TEST(Retention, WithinKeepsEverythingThatWasReceivedSince) {
  const History history = dailies(30, at(2026, 1, 1, 1));
  const auto decisions = history.decided({.within = 3 * kDay}, at(2026, 1, 31));
  for (std::size_t i = 0; i < 30; ++i) EXPECT_EQ(decisions[i].keep, i >= 27) << i;
  EXPECT_THAT(decisions[28].reasons, ElementsAre("within 3d"));
}

TEST(Retention, TimesAtTheEndsOfTheRangeAreNoTrouble) {
  History history;
  for (const std::int64_t received : {INT64_MIN, INT64_MAX, std::int64_t{0}}) {
    for (const std::int64_t claimed : {INT64_MIN, INT64_MAX, std::int64_t{-1}}) history.add(received, claimed);
  }
  const RetentionPolicy policy{.hourly = 9, .daily = 9, .weekly = 9, .monthly = 9, .yearly = 9, .within = INT64_MAX};
  EXPECT_EQ(history.decided(policy, INT64_MIN).size(), 9U);
  EXPECT_EQ(history.decided(policy, INT64_MAX).size(), 9U);
}

// --- Promises over random histories ---

rc::Gen<RetentionPolicy> any_policy() {
  const auto count = rc::gen::inRange(0U, 9U);
  return rc::gen::build<RetentionPolicy>(
      rc::gen::set(&RetentionPolicy::hourly, count), rc::gen::set(&RetentionPolicy::daily, count),
      rc::gen::set(&RetentionPolicy::weekly, count), rc::gen::set(&RetentionPolicy::monthly, count),
      rc::gen::set(&RetentionPolicy::yearly, count),
      rc::gen::set(&RetentionPolicy::within, rc::gen::map(rc::gen::inRange(0, 40), [](int d) { return d * kDay; })));
}

// One or more backups a day that take from minutes to hours, by a clock that is right.
History honest_history() {
  History history;
  std::int64_t time = at(2025, 3, 1) + *rc::gen::inRange(0, 24 * 60) * kMinute;
  const int count = *rc::gen::inRange(1, 200);
  for (int i = 0; i < count; ++i) {
    const std::int64_t length = *rc::gen::weightedOneOf<std::int64_t>(
        {{5, rc::gen::inRange<std::int64_t>(kSecond, kHour)}, {1, rc::gen::inRange<std::int64_t>(kHour, 20 * kHour)}});
    history.add(time + length, time);
    time += length + *rc::gen::inRange<std::int64_t>(kMinute, kDay);
  }
  return history;
}

// Anything at all: several series, lies about time.
History any_history() {
  History history;
  std::int64_t received = at(2025, 3, 1);
  const int count = *rc::gen::inRange(0, 120);
  for (int i = 0; i < count; ++i) {
    received += *rc::gen::element<std::int64_t>(0, kSecond, kHour, 7 * kHour, kDay, 9 * kDay, 40 * kDay);
    const std::int64_t claimed =
        received + *rc::gen::inRange<std::int64_t>(-60, 60) * *rc::gen::element(kMinute, kHour, kDay);
    history.add(received, claimed, *rc::gen::inRange<std::uint8_t>(0, 3));
  }
  return history;
}

void add_junk(History& history, std::int64_t longest_step) {
  std::int64_t received = history.last();
  const int count = *rc::gen::inRange(1, 300);
  for (int i = 0; i < count; ++i) {
    received += *rc::gen::inRange<std::int64_t>(1, longest_step + 1);
    history.add(received, *rc::gen::oneOf(rc::gen::inRange<std::int64_t>(received - 400 * kDay, received + 400 * kDay),
                                          rc::gen::arbitrary<std::int64_t>()));
  }
}

std::int64_t day_of(std::int64_t ns) { return ns / kDay; }

RC_GTEST_PROP(RetentionProperty, WhatADayKeptNoLaterFloodTakesWhileTheDayIsAmongTheLast, ()) {
  History history = honest_history();
  const RetentionPolicy policy{.daily = *rc::gen::inRange(1U, 10U)};
  const auto before = history.decided(policy);
  add_junk(history, *rc::gen::element(kSecond, kHour, kDay));
  const auto after = history.decided(policy);

  std::set<std::int64_t> days;
  for (const StoredSnapshot& snapshot : history.snapshots()) days.insert(day_of(snapshot.received));
  const std::set<std::int64_t> last(
      days.size() > policy.daily ? std::prev(days.end(), static_cast<int>(policy.daily)) : days.begin(), days.end());
  for (std::size_t i = 0; i < before.size(); ++i) {
    const bool by_rule = std::ranges::any_of(before[i].reasons, [](const auto& r) { return r.starts_with("daily"); });
    if (by_rule && last.contains(day_of(history.snapshots()[i].received))) RC_ASSERT(after[i].keep);
  }
  // Each of the days keeps at least what came first on it.
  std::set<std::int64_t> seen;
  for (std::size_t i = 0; i < after.size(); ++i) {
    const std::int64_t day = day_of(history.snapshots()[i].received);
    if (seen.insert(day).second && last.contains(day)) RC_ASSERT(after[i].keep);
  }
}

RC_GTEST_PROP(RetentionProperty, JunkOverMoreDaysDisplacesAsManyDailiesOldestFirst, ()) {
  History history = dailies(7, at(2026, 11, 1, 2));
  const int days = *rc::gen::inRange(0, 8);
  for (int day = 0; day <= days; ++day) {
    const int count = *rc::gen::inRange(1, 50);
    for (int i = 0; i < count; ++i) {
      history.add(at(2026, 11, 7, 3) + day * kDay + i * kSecond, *rc::gen::arbitrary<std::int64_t>());
    }
  }
  const auto decisions = history.decided({.daily = 7});
  for (int good = 0; good < 7; ++good) RC_ASSERT(decisions[static_cast<std::size_t>(good)].keep == (good >= days));
}

RC_GTEST_PROP(RetentionProperty, NoUnitLosesToALaterFloodInTheSameBuckets, (std::uint8_t unit)) {
  History history = any_history();
  RC_PRE(history.size() > 0U);
  RetentionPolicy policy;
  (unit % 5 == 0   ? policy.hourly
   : unit % 5 == 1 ? policy.daily
   : unit % 5 == 2 ? policy.weekly
   : unit % 5 == 3 ? policy.monthly
                   : policy.yearly) = *rc::gen::inRange(1U, 10U);
  const auto before = history.decided(policy);
  // Received at the same moment as the last: in the same bucket of every unit.
  const int count = *rc::gen::inRange(1, 100);
  for (int i = 0; i < count; ++i) {
    history.add(history.last(), *rc::gen::arbitrary<std::int64_t>(), *rc::gen::inRange<std::uint8_t>(0, 3));
  }
  // A series that has nothing in the last bucket yet gets one bucket more: those with "newest" alone aside, count only
  // those series whose newest was received last.
  const std::uint8_t series = history.snapshots()[before.size() - 1].snapshot.series[0];
  const auto after = history.decided(policy);
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (history.snapshots()[i].snapshot.series[0] != series) continue;
    if (before[i].reasons.size() == 1 && before[i].reasons[0] == "newest") continue;
    RC_ASSERT(!before[i].keep || after[i].keep);
  }
}

RC_GTEST_PROP(RetentionProperty, TheNewestOfEachSeriesIsKept, ()) {
  const History history = any_history();
  const auto decisions = history.decided(*any_policy());
  std::map<std::uint8_t, std::size_t> newest;
  for (std::size_t i = 0; i < history.size(); ++i) newest[history.snapshots()[i].snapshot.series[0]] = i;
  for (const auto& [series, position] : newest) RC_ASSERT(decisions[position].keep);
}

RC_GTEST_PROP(RetentionProperty, MoreRulesKeepMore, ()) {
  const History history = any_history();
  const RetentionPolicy less = *any_policy(), other = *any_policy();
  RC_PRE(!less.empty());
  RetentionPolicy more;
  more.hourly = std::max(less.hourly, other.hourly);
  more.daily = std::max(less.daily, other.daily);
  more.weekly = std::max(less.weekly, other.weekly);
  more.monthly = std::max(less.monthly, other.monthly);
  more.yearly = std::max(less.yearly, other.yearly);
  more.within = std::max(less.within, other.within);
  const auto kept_by_less = history.decided(less), kept_by_more = history.decided(more);
  for (std::size_t i = 0; i < history.size(); ++i) RC_ASSERT(!kept_by_less[i].keep || kept_by_more[i].keep);
}

RC_GTEST_PROP(RetentionProperty, DecidingAgainForgetsNothingMore, ()) {
  const History history = any_history();
  const RetentionPolicy policy = *any_policy();
  const std::int64_t now = history.last() + *rc::gen::inRange<std::int64_t>(0, 30 * kDay);
  const History rest = history.survivors(policy, now);
  RC_ASSERT(rest.survivors(policy, now).ids() == rest.ids());
}

RC_GTEST_PROP(RetentionProperty, AnHonestMachineKeepsNoMoreThanOneABucketAndOnePerLongBackup, ()) {
  const History history = honest_history();
  const unsigned daily = *rc::gen::inRange(1U, 10U);
  std::size_t doubtful = 0;
  for (const StoredSnapshot& s : history.snapshots()) doubtful += s.received - s.snapshot.started > 12 * kHour;
  RC_ASSERT(history.kept({.daily = daily}).size() <= daily + 1 + doubtful);
}

RC_GTEST_PROP(RetentionProperty, ClaimsADayApartThatAreNotOfTheFutureAreNeverTakenForOneAnother, ()) {
  History history;
  std::int64_t received = at(2026, 11, 24) + *rc::gen::inRange<std::int64_t>(0, kDay - 100 * kSecond);
  const int count = *rc::gen::inRange(1, 40);
  std::int64_t claimed = received - *rc::gen::inRange<std::int64_t>(0, 3 * kDay) - 60 * kDay;
  for (int i = 0; i < count && claimed <= received; ++i) {
    history.add(received, claimed);
    received += kSecond;
    claimed += *rc::gen::inRange<std::int64_t>(kDay, 3 * kDay);
  }
  RC_ASSERT(history.kept({.daily = 1}).size() == history.size());
}

}  // namespace
}  // namespace kura::archive
