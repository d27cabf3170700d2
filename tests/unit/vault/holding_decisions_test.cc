#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/codec.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "support/vault/holding_test.h"

namespace kura::vault {
namespace {

using base::ErrorCode;
using std::chrono::hours;
using store::Kind;
using store::ObjectId;
using test::kADay;
using test::kAnHour;
using ::testing::HasSubstr;

std::string random_text(std::size_t size) {
  std::string text(size, '\0');
  crypto::fill_random(base::MutableByteSpan(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
  return text;
}

class HoldingDecisionsTest : public test::HoldingTest {
 protected:
  HoldingDecisionsTest() { builder_.compress(false); }
  // A file that is new each time; a snapshot of the builder needs all packs, so it grows by this.
  ObjectId back_up_new(std::size_t size) { return back_up(random_text(size)); }
  const HeldSnapshot& held(const ObjectId& id) {
    snapshots_ = holding_->snapshots();
    return *std::ranges::find(snapshots_, id, &HeldSnapshot::id);
  }
  std::vector<ObjectId> ids() {
    std::vector<ObjectId> all;
    for (const HeldSnapshot& held : holding_->snapshots()) all.push_back(held.id);
    return all;
  }
  std::vector<HeldSnapshot> snapshots_;
};

// ---- Surprises ----

TEST_F(HoldingDecisionsTest, ABackupThatIsASurpriseFreezesAndDisplacesNothing) {
  keep("daily=3");
  const ObjectId good = back_up_new(12'000'000);
  for (int day = 0; day < 4; ++day) {
    now_ += kADay;
    back_up_new(1000);
  }
  EXPECT_FALSE(holding_->is_frozen());
  now_ += kADay;
  const ObjectId odd = back_up_new(9'000'000);
  for (int restart = 0; restart < 2; ++restart) {
    EXPECT_TRUE(holding_->is_frozen());
    EXPECT_THAT(held(odd).suspicion, HasSubstr("new data"));
    EXPECT_EQ(held(good).suspicion, "");
    EXPECT_EQ(*holding_->expire(), 0U);
    reopen();
  }
  // What is like it is suspect as well: it is compared with the last that was not.
  const ObjectId next = back_up_new(1000);
  EXPECT_NE(held(next).suspicion, "");
  // After a thaw the suspect ones take no place of others.
  ASSERT_TRUE(holding_->thaw("mori", "the attacker is out"));
  now_ += kADay;
  const std::vector<ObjectId> before = ids();
  ASSERT_TRUE(holding_->expire());
  const std::vector<ObjectId> after = ids();
  EXPECT_EQ(after.size(), 5U);  // three dailies, the odd one as the newest and first of its own
  EXPECT_EQ(std::ranges::count(after, before[4]), 1);
  EXPECT_EQ(std::ranges::count(after, before[2]), 1);
}

TEST_F(HoldingDecisionsTest, AFalseAlarmCountsAsUsualAfterwards) {
  back_up_new(12'000'000);
  now_ += kADay;
  const ObjectId large = back_up_new(9'000'000);
  EXPECT_NE(held(large).suspicion, "");
  ASSERT_TRUE(holding_->thaw("mori", "new software", /*no_attack=*/true));
  now_ += kADay;
  const ObjectId next = back_up_new(1000);
  for (int restart = 0; restart < 2; ++restart) {
    EXPECT_FALSE(holding_->is_frozen());
    EXPECT_EQ(held(large).suspicion, "");
    EXPECT_EQ(held(next).suspicion, "");
    reopen();
  }
}

TEST_F(HoldingDecisionsTest, TheTripwireCanBeSwitchedOff) {
  keep("daily=3 tripwire=off");
  back_up_new(12'000'000);
  back_up_new(12'000'000);
  EXPECT_FALSE(holding_->is_frozen());
}

// ---- Barriers ----

TEST_F(HoldingDecisionsTest, BehindABarrierNothingIsLeantOn) {
  const ObjectId good = back_up("before");
  const std::size_t good_packs = count(Kind::kPack);
  now_ += kADay;
  const std::int64_t attack = now_;
  now_ += kAnHour;
  back_up("during");
  const ObjectId in_flight = send_without_commit("on its way");
  const auto barred = holding_->set_barrier(attack, "mori", "encrypted since then");
  ASSERT_TRUE(barred);
  EXPECT_EQ(*barred, count(Kind::kPack) - good_packs);
  for (int restart = 0; restart < 2; ++restart) {
    std::size_t marked = 0;
    for (const store::ObjectInfo& pack : *holding_->list(Kind::kPack)) marked += pack.barred ? 1 : 0;
    EXPECT_EQ(marked, *barred);
    const auto refused = holding_->commit(in_flight, object(Kind::kSnapshot, in_flight), "pc1");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kConflict);
    EXPECT_THAT(refused.error().message(), HasSubstr("barrier"));
    reopen();
  }
  EXPECT_TRUE(holding_->commit(good, object(Kind::kSnapshot, good), "pc1"));  // it was here before
}

TEST_F(HoldingDecisionsTest, ABarrierWithNothingBehindItIsInTheJournalToo) {
  back_up("before");
  EXPECT_EQ(*holding_->set_barrier(now_ + kAnHour, "mori", ""), 0U);
  EXPECT_EQ(holding_->journal().head().sequence, 5U);  // begin, config, key, commit, barrier
}

// ---- Deletion by two people ----

class HoldingRequestsTest : public HoldingDecisionsTest {
 protected:
  static Holding::Signer signer(const std::string& who, std::uint8_t key) {
    Holding::Signer signer{.who = who, .key = {}, .signature = base::Bytes(64, key)};
    signer.key.fill(key);
    return signer;
  }
  const Holding::Signer mori_ = signer("mori", 1), sato_ = signer("sato", 2);
  static constexpr std::int64_t kDelay = 3 * kADay;
};

TEST_F(HoldingRequestsTest, WhatTwoPeopleWantGoesAfterTheDelayAndNotBefore) {
  const ObjectId first = back_up("first");
  now_ += kAnHour;
  const ObjectId second = back_up("second");
  const auto request = holding_->request({first}, "", mori_);
  ASSERT_TRUE(request) << request.error().text();
  now_ += 100 * kADay;
  EXPECT_EQ(*holding_->carry_out(kDelay), 0U);  // nobody has agreed
  ASSERT_TRUE(holding_->approve(request->sequence, sato_));
  now_ += kDelay - 1;
  for (int restart = 0; restart < 2; ++restart) {
    EXPECT_EQ(*holding_->carry_out(kDelay), 0U);
    EXPECT_EQ(ids().size(), 2U);
    reopen();
  }
  now_ += 1;
  EXPECT_EQ(*holding_->carry_out(kDelay), 1U);
  for (int restart = 0; restart < 2; ++restart) {
    EXPECT_EQ(ids(), std::vector<ObjectId>{second});
    EXPECT_TRUE(holding_->requests().empty());
    EXPECT_FALSE(holding_->commit(first, object(Kind::kSnapshot, first), "pc1"));
    reopen();
  }
}

TEST_F(HoldingRequestsTest, NobodyIsTwoPeople) {
  const ObjectId id = back_up("first");
  const auto request = holding_->request({id}, "", mori_);
  ASSERT_TRUE(request);
  for (const Holding::Signer& same : {mori_, signer("mori", 9), signer("other", 1)}) {
    const auto refused = holding_->approve(request->sequence, same);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kDenied);
  }
  ASSERT_TRUE(holding_->approve(request->sequence, sato_));
  EXPECT_EQ(holding_->approve(request->sequence, signer("ito", 3)).error().code(), ErrorCode::kConflict);
}

TEST_F(HoldingRequestsTest, ARequestThatIsCalledOffIsNoMore) {
  const ObjectId id = back_up("first");
  const auto request = holding_->request({id}, "", mori_);
  ASSERT_TRUE(holding_->approve(request->sequence, sato_));
  ASSERT_TRUE(holding_->cancel(request->sequence, "ito"));
  now_ += 10 * kADay;
  for (int restart = 0; restart < 2; ++restart) {
    EXPECT_EQ(*holding_->carry_out(kDelay), 0U);
    EXPECT_EQ(ids().size(), 1U);
    EXPECT_EQ(holding_->cancel(request->sequence, "ito").error().code(), ErrorCode::kNotFound);
    reopen();
  }
}

TEST_F(HoldingRequestsTest, NothingIsCarriedOutWhileItIsFrozen) {
  const ObjectId id = back_up("first");
  const auto request = holding_->request({id}, "", mori_);
  ASSERT_TRUE(holding_->approve(request->sequence, sato_));
  ASSERT_TRUE(holding_->freeze("ito", "stop"));
  now_ += 10 * kADay;
  EXPECT_EQ(*holding_->carry_out(kDelay), 0U);
  EXPECT_EQ(ids().size(), 1U);
}

TEST_F(HoldingRequestsTest, APolicyThatKeepsLessHoldsWhenItIsDue) {
  back_up("first");
  const auto request = holding_->request({}, "daily=1", mori_);
  ASSERT_TRUE(request);
  ASSERT_TRUE(holding_->approve(request->sequence, sato_));
  EXPECT_NE(holding_->policy().text(), "daily=1");
  now_ += kDelay;
  EXPECT_EQ(*holding_->carry_out(kDelay), 1U);
  reopen();
  EXPECT_EQ(holding_->policy().text(), "daily=1");
  EXPECT_TRUE(holding_->requests().empty());
}

TEST_F(HoldingRequestsTest, RequestsForNothingOrForWhatIsNotHereAreRefused) {
  back_up("first");
  EXPECT_FALSE(holding_->request({}, "", mori_));
  EXPECT_FALSE(holding_->request({ObjectId{}}, "", mori_));
  EXPECT_FALSE(holding_->request({}, "daily=x", mori_));
  EXPECT_TRUE(holding_->requests().empty());
}

// ---- Quota ----

TEST_F(HoldingDecisionsTest, WhatGoesBeyondTheQuotaIsRefusedAndLeavesNothing) {
  keep("daily=3 quota=5000000");
  back_up_new(1'000'000);
  const std::uint64_t used = space_->used("office");
  EXPECT_GT(used, 1'000'000U);
  const auto refused = holding_->upload(Kind::kPack, ObjectId{}, 4'500'000);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kNoSpace);
  EXPECT_THAT(refused.error().message(), HasSubstr("quota"));
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(holding_->upload(Kind::kPack, ObjectId{}, 3'000'000));  // given up each time
  EXPECT_EQ(space_->used("office"), used);
  reopen();
  EXPECT_EQ(space_->used("office"), used);
  EXPECT_FALSE(holding_->upload(Kind::kPack, ObjectId{}, 4'500'000));
}

TEST_F(HoldingDecisionsTest, RoomThatBecomesFreeCanBeUsed) {
  keep("daily=1");
  back_up_new(1'000'000);
  const std::uint64_t before = space_->used("office");
  send_without_commit(random_text(500'000));
  EXPECT_GT(space_->used("office"), before + 500'000);
  ASSERT_TRUE(holding_->collect(hours(0)));
  EXPECT_EQ(space_->used("office"), before);
}

TEST_F(HoldingDecisionsTest, AFloodOfLeasesEnds) {
  std::size_t taken = 0;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    const base::Bytes lease = base::Encoder().u32(i).take();
    taken += holding_->put(Kind::kLease, crypto::sha256(lease), lease, "pc1") ? 1 : 0;
  }
  EXPECT_LE(taken, 256U);
}

TEST(VaultPolicyTest, KnowsWhatKeepsLess) {
  const auto less = [](const char* one, const char* other) {
    return Policy::parse(one)->keeps_less_than(*Policy::parse(other));
  };
  EXPECT_FALSE(less("daily=7", "daily=7"));
  EXPECT_FALSE(less("daily=8 weekly=1", "daily=7"));
  EXPECT_FALSE(less("daily=7 quota=5G tripwire=off customer=acme", "daily=7"));
  EXPECT_TRUE(less("daily=6", "daily=7"));
  EXPECT_TRUE(less("daily=7", "daily=7 within=1d"));
  EXPECT_TRUE(less("daily=100", "daily=7 yearly=1"));
}

}  // namespace
}  // namespace kura::vault
