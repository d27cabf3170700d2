// What a follower decides, apart from the vaults: what it wants, how fast, when a vault is silent, what it reads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "crypto/hash.h"
#include "vault/pull/answers.h"
#include "vault/pull/damage_there.h"
#include "vault/pull/rate.h"
#include "vault/pull/silence.h"
#include "vault/pull/wanted.h"

namespace kura::vault {
namespace {

using base::ErrorCode;
using std::chrono::seconds;
using store::Kind;
using store::ObjectId;

ObjectId id_of(int n) { return crypto::sha256(base::as_bytes(std::to_string(n))); }
Entry commit(int n) {
  return {.sequence = 1,
          .time = 1,
          .before = {},
          .event = {.type = EventType::kCommit, .kind = Kind::kSnapshot, .objects = {id_of(n)}, .bytes = 100}};
}
Entry object(Kind kind, int n) {
  return {.sequence = 1,
          .time = 1,
          .before = {},
          .event = {.type = EventType::kObject, .kind = kind, .objects = {id_of(n)}, .bytes = 100}};
}
Entry gone(EventType type, const std::vector<int>& numbers) {
  Entry entry{.sequence = 1, .time = 1, .before = {}, .event = {.type = type, .kind = Kind::kSnapshot}};
  for (const int n : numbers) entry.event.objects.push_back(id_of(n));
  return entry;
}
Wanted scan(const std::vector<Entry>& entries, const std::vector<int>& settled = {}, std::size_t most = 1000) {
  WantedScan scan(
      [&](Kind, const ObjectId& id) { return std::ranges::any_of(settled, [&](int n) { return id_of(n) == id; }); },
      most);
  for (const Entry& entry : entries) scan.take(entry);
  return std::move(scan).finish();
}
std::vector<ObjectId> ids(const std::vector<WantedObject>& objects) {
  std::vector<ObjectId> ids;
  for (const WantedObject& wanted : objects) ids.push_back(wanted.id);
  return ids;
}

TEST(WantedScanTest, WantsInOrderWhatIsNotSettledAndWasNotLetGo) {
  const Wanted wanted = scan({commit(1), commit(2), commit(3), gone(EventType::kExpire, {2, 9}), commit(4),
                              gone(EventType::kDelete, {4}), commit(5)},
                             {3});
  EXPECT_EQ(ids(wanted.commits), (std::vector{id_of(1), id_of(5)}));
  EXPECT_TRUE(wanted.is_all);
}

TEST(WantedScanTest, TheConfigComesFirst) {
  const Wanted wanted =
      scan({object(Kind::kKey, 1), object(Kind::kPack, 7), object(Kind::kConfig, 2), object(Kind::kKey, 3)});
  EXPECT_EQ(ids(wanted.objects).front(), id_of(2));
  EXPECT_THAT(ids(wanted.objects), ::testing::UnorderedElementsAre(id_of(2), id_of(1), id_of(3)));
}

TEST(WantedScanTest, TakesOnlySoMuchAtATime) {
  std::vector<Entry> entries;
  for (int i = 0; i < 500; ++i) entries.push_back(commit(i));
  for (int i = 0; i < 500; ++i) entries.push_back(object(Kind::kKey, i));
  entries.push_back(gone(EventType::kExpire, {0, 450}));
  const Wanted wanted = scan(entries, {}, 10);
  EXPECT_EQ(wanted.commits.size(), 9U);
  EXPECT_EQ(wanted.objects.size(), WantedScan::kMostObjects);
  EXPECT_FALSE(wanted.is_all);
}

TEST(WantedScanTest, EntriesThatSayOddThingsAreLeftOut) {
  Entry two = commit(1);
  two.event.objects.push_back(id_of(2));
  Entry none = commit(1);
  none.event.objects.clear();
  EXPECT_TRUE(scan({two, none, object(Kind::kLease, 3), gone(EventType::kCollect, {1})}).empty());
}

TEST(RateScheduleTest, TheFirstWindowThatFitsCounts) {
  const auto rate = RateSchedule::parse("20M", {"08:00-19:00=5M", "22:30-06:00=0", "00:00-24:00=1K"});
  ASSERT_TRUE(rate) << rate.error().text();
  EXPECT_EQ(rate->at(8 * 60), 5'000'000U);
  EXPECT_EQ(rate->at(19 * 60 - 1), 5'000'000U);
  EXPECT_EQ(rate->at(19 * 60), 1'000U);
  for (const unsigned minute : {22 * 60 + 30U, 0U, 6 * 60 - 1U}) EXPECT_EQ(rate->at(minute), 0U);
  EXPECT_EQ(RateSchedule::parse("500", {})->at(0), 500U);
  EXPECT_FALSE(RateSchedule::parse("", {})->has_limit());
}

TEST(RateScheduleTest, WhatIsNoRateIsRefused) {
  for (const char* rate : {"x", "-1", "5X", "M", "1.5M", "99999999999G", " 5"})
    EXPECT_FALSE(RateSchedule::parse(rate, {})) << rate;
  for (const char* window : {"", "5M", "08:00=5M", "8:00-9:00=5M", "08:00-25:00=5M", "08:60-09:00=5M",
                             "08:00-09:00=", "08:00-09:00", "=5M", "24:01-09:00=1"}) {
    const auto rate = RateSchedule::parse("", {window});
    ASSERT_FALSE(rate) << window;
    EXPECT_EQ(rate.error().code(), ErrorCode::kUsage);
  }
}

TEST(PaceTest, AStopEndsTheWait) {
  Pace pace(*RateSchedule::parse("1", {}));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(pace.wait_for(1U << 30, stop.get_token()));
  EXPECT_TRUE(Pace(RateSchedule()).wait_for(1U << 30, {}));
}

TEST(SilenceTest, IsNewsOnceUntilTheVaultIsHeardAgain) {
  const Silence::Clock::time_point begin;
  Silence silence(seconds(10), begin);
  EXPECT_FALSE(silence.is_news(begin + seconds(9)));
  EXPECT_TRUE(silence.is_news(begin + seconds(10)));
  EXPECT_FALSE(silence.is_news(begin + seconds(100)));
  silence.heard(begin + seconds(100), 5);
  EXPECT_FALSE(silence.is_news(begin + seconds(109)));
  silence.heard(begin + seconds(109), 5);  // its time stands still
  EXPECT_TRUE(silence.is_news(begin + seconds(110)));
  EXPECT_FALSE(Silence(seconds(0), begin).is_news(begin + seconds(1'000'000)));
}

TEST(DamageThereTest, IsWhatTheJournalNamesLastAndIsHere) {
  DamageThere there([](Kind, const ObjectId& id) { return id != id_of(9); });
  std::uint64_t sequence = 0;
  const auto take = [&](EventType type, const std::vector<int>& numbers) {
    Entry entry = gone(type, numbers);
    entry.sequence = ++sequence;
    there.take(entry);
  };
  const auto is_there = [&](int n) { return there.objects().contains(id_of(n)); };
  take(EventType::kAlarm, {1, 2, 3, 4, 5, 9});
  EXPECT_FALSE(is_there(9));
  EXPECT_EQ(there.objects().at(id_of(1)), Kind::kSnapshot);
  take(EventType::kRepair, {1});
  take(EventType::kCollect, {2});
  take(EventType::kExpire, {3});
  take(EventType::kDelete, {4});
  EXPECT_EQ(there.objects().size(), 1U);
  take(EventType::kAlarm, {1});  // again
  EXPECT_TRUE(is_there(1) && is_there(5));
  Entry old = gone(EventType::kRepair, {5});
  old.sequence = 1;
  there.take(old);  // which was taken
  EXPECT_TRUE(is_there(5));
  EXPECT_EQ(there.seen(), sequence);
  there.begin_anew();
  EXPECT_TRUE(there.objects().empty());
}

TEST(VaultCardTest, IsReadWithoutBeliefInNames) {
  const std::string key(64, 'a');
  const auto card_of = [&](const std::string& names) {
    return parse_vault_card(R"({"vault":"a","key":")" + key + R"(","repositories":[)" + names + "]}");
  };
  const auto card = card_of(R"("office","lab","office")");
  ASSERT_TRUE(card) << card.error().text();
  EXPECT_EQ(card->repositories, (std::vector<std::string>{"lab", "office"}));
  EXPECT_TRUE(card_of("")->repositories.empty());
  for (const char* names : {R"("..")", R"("")", R"("a/b")", "5", "null", R"(["x"])"})
    EXPECT_FALSE(card_of(names)) << names;
  std::string many = R"("n0")";
  for (std::size_t i = 1; i <= kMostRepositories; ++i) many += R"(,"n)" + std::to_string(i) + '"';
  EXPECT_FALSE(card_of(many));
  for (const char* body : {"", "[]", "{}", R"({"vault":"a"})", R"({"vault":"../a","key":"aa","repositories":[]})"}) {
    EXPECT_FALSE(parse_vault_card(body)) << body;
  }
}

TEST(SplitEntriesTest, TakesWholeEntriesOnly) {
  const base::Bytes whole = commit(1).encode(base::Key(base::Bytes(32, 1)));
  base::Bytes two = whole;
  two.insert(two.end(), whole.begin(), whole.end());
  EXPECT_EQ(split_entries(two)->size(), 2U);
  EXPECT_TRUE(split_entries({})->empty());
  two.pop_back();
  EXPECT_FALSE(split_entries(two));
  EXPECT_FALSE(split_entries(base::Bytes(4, 0xff)));
}

}  // namespace
}  // namespace kura::vault
