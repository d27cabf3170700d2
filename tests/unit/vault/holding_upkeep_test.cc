#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "support/vault/holding_test.h"

namespace kura::vault {
namespace {

using base::ErrorCode;
using std::chrono::hours;
using store::Kind;
using store::ObjectId;

using test::kADay;
using test::kAnHour;

class HoldingUpkeepTest : public test::HoldingTest {};

TEST_F(HoldingUpkeepTest, WhatThePolicyDoesNotKeepGoesAndStaysGone) {
  keep("daily=3");
  std::vector<ObjectId> ids;
  for (int day = 0; day < 6; ++day) {
    ids.push_back(back_up("day " + std::to_string(day)));
    now_ += kADay;
  }
  EXPECT_EQ(*holding_->expire(), 3U);
  for (int restart = 0; restart < 2; ++restart) {
    EXPECT_EQ(count(Kind::kSnapshot), 3U);
    const auto replayed = holding_->commit(ids[0], object(Kind::kSnapshot, ids[0]), "pc1");
    ASSERT_FALSE(replayed);
    EXPECT_EQ(replayed.error().code(), ErrorCode::kConflict);
    EXPECT_EQ(*holding_->expire(), 0U);
    reopen();
  }
  EXPECT_EQ(holding_->policy().text(), "daily=3");
}

TEST_F(HoldingUpkeepTest, AFloodOfJunkPushesNoGoodSnapshotOut) {
  keep("daily=7");
  std::vector<ObjectId> good;
  for (int day = 0; day < 7; ++day) {
    good.push_back(back_up("good " + std::to_string(day)));
    now_ += kADay;
  }
  now_ -= kADay - kAnHour;
  for (int i = 0; i < 40; ++i) {
    now_ += 10'000'000;
    back_up("junk " + std::to_string(i));
  }
  ASSERT_TRUE(holding_->expire());
  for (const ObjectId& id : good) EXPECT_TRUE(holding_->stat(Kind::kSnapshot, id));
  EXPECT_LE(count(Kind::kSnapshot), 9U);
}

TEST_F(HoldingUpkeepTest, PacksGoOnlyWhenNothingHasNeededThemForTheGrace) {
  back_up("first");
  const std::size_t packs = count(Kind::kPack);
  const ObjectId left_behind = send_without_commit("interrupted");
  now_ += 1000 * kADay;  // the wall clock moves nothing
  EXPECT_EQ(holding_->collect(hours(24))->packs, 0U);
  EXPECT_GT(count(Kind::kPack), packs);
  const auto collected = holding_->collect(hours(0));
  ASSERT_TRUE(collected);
  EXPECT_GT(collected->packs, 0U);
  EXPECT_GT(collected->bytes, 0U);
  EXPECT_EQ(collected->indexes, 1U);
  for (int restart = 0; restart < 2; ++restart) {
    EXPECT_EQ(count(Kind::kPack), packs);
    EXPECT_EQ(count(Kind::kIndex), 1U);
    reopen();
  }
  // Who leaned on them meanwhile is refused, and stores them again.
  const base::Bytes bytes = object(Kind::kSnapshot, left_behind);
  const auto refused = holding_->commit(left_behind, bytes, "pc1");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kNotFound);
  for (const ObjectId& id : builder_.packs()) send(Kind::kPack, id);
  send(Kind::kIndex, builder_.indexes().back());
  EXPECT_TRUE(holding_->commit(left_behind, bytes, "pc1"));
}

TEST_F(HoldingUpkeepTest, WhatIsNeededAgainStartsItsGraceAnew) {
  back_up("first");
  const ObjectId late = send_without_commit("late");
  EXPECT_EQ(holding_->collect(hours(24))->packs, 0U);  // seen without need
  ASSERT_TRUE(holding_->commit(late, object(Kind::kSnapshot, late), "pc1"));
  EXPECT_EQ(holding_->collect(hours(0))->packs, 0U);
}

TEST_F(HoldingUpkeepTest, NothingGoesWhileItIsFrozenAlsoAfterARestart) {
  keep("daily=1");
  for (int day = 0; day < 3; ++day) {
    back_up("day " + std::to_string(day));
    now_ += kADay;
  }
  ASSERT_TRUE(holding_->freeze("operator", "looks odd"));
  for (int restart = 0; restart < 2; ++restart) {
    EXPECT_TRUE(holding_->is_frozen());
    EXPECT_EQ(*holding_->expire(), 0U);
    EXPECT_EQ(holding_->collect(hours(0))->packs, 0U);
    reopen();
  }
  back_up("goes on coming in");
  ASSERT_TRUE(holding_->thaw("operator", "false alarm"));
  EXPECT_GT(*holding_->expire(), 0U);
}

TEST_F(HoldingUpkeepTest, WhatWasReadOnceStaysThoughTheSnapshotIsLostThereafter) {
  const ObjectId first = back_up("first");
  ASSERT_TRUE(holding_->collect(hours(0)));
  std::filesystem::remove(path_ + "/objects/snapshots/" + first.hex());
  const ObjectId second = back_up("second");
  const std::size_t packs = count(Kind::kPack);
  ASSERT_TRUE(holding_->collect(hours(0)));
  EXPECT_EQ(count(Kind::kPack), packs);
  EXPECT_TRUE(holding_->stat(Kind::kSnapshot, second));
}

TEST_F(HoldingUpkeepTest, NothingIsCollectedWhileASnapshotCannotBeRead) {
  keep("daily=1");
  back_up("first");
  now_ += kADay;
  const ObjectId second = back_up("second");
  ASSERT_TRUE(holding_->expire());
  std::filesystem::remove(path_ + "/objects/snapshots/" + second.hex());
  const std::size_t packs = count(Kind::kPack);
  EXPECT_FALSE(holding_->collect(hours(0)));
  EXPECT_EQ(count(Kind::kPack), packs);
}

TEST(VaultPolicyTest, IsReadBackAsItIsWritten) {
  for (const char* text : {"hourly=24 daily=7", "yearly=1", "within=86400s", "daily=60 weekly=26 within=2592000s",
                           "daily=1 quota=500 customer=acme tripwire=off"}) {
    const auto policy = Policy::parse(text);
    ASSERT_TRUE(policy) << text;
    EXPECT_EQ(policy->text(), text);
  }
  EXPECT_EQ(Policy::parse(Policy().text())->text(), Policy().text());
  EXPECT_EQ(Policy::parse("daily=1 quota=2T tripwire=on")->text(), "daily=1 quota=2000000000000");
  EXPECT_EQ(Policy::parse("  within=30d   daily=1 ")->text(), "daily=1 within=2592000s");
}

TEST(VaultPolicyTest, WhatWouldKeepNothingOrIsNoRuleIsRefused) {
  for (const char* text : {"", "daily=0", "daily", "daily=x", "daily=-1", "daily=1x", "dayly=1", "within=forever", "=1",
                           "daily=1 quota=x", "daily=1 quota=99999999T", "daily=1 tripwire=maybe"}) {
    const auto policy = Policy::parse(text);
    ASSERT_FALSE(policy) << text;
    EXPECT_EQ(policy.error().code(), ErrorCode::kUsage);
  }
}

}  // namespace
}  // namespace kura::vault
