#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "archive/repo/lease.h"
#include "crypto/hash.h"
#include "store/folder_store.h"
#include "support/archive/format_samples.h"
#include "support/store/crash_file_system.h"
#include "support/store/faulty_store.h"

namespace kura::archive {
namespace {

using store::Kind;
using namespace std::chrono_literals;

constexpr std::int64_t kMinute = 60LL * 1'000'000'000;

// A folder store on a disk whose clock the test turns.
class LeaseTest : public ::testing::Test {
 protected:
  void SetUp() override { store_ = store::create_folder_store("/store", disk_).value(); }
  std::vector<LiveLease> live(bool remove_lapsed = false) {
    return live_leases(*store_, store_->now().value(), remove_lapsed).value();
  }
  std::vector<store::ObjectInfo> objects() { return store_->list(Kind::kLease).value(); }
  LeaseObject object(std::size_t i) {
    return LeaseObject::decode(store_->get(Kind::kLease, objects().at(i).id, 4096).value()).value();
  }
  template <typename Condition>
  static bool eventually(Condition condition) {
    for (int i = 0; i < 1000; ++i, std::this_thread::sleep_for(5ms)) {
      if (condition()) return true;
    }
    return false;
  }

  store::CrashFileSystem disk_;
  std::unique_ptr<store::Store> store_;
};

TEST_F(LeaseTest, IsSeenByOthersWhileItIsHeldAndGoneAfterwards) {
  {
    const auto lease = Lease::take(*store_, LeasePurpose::kCopy);
    ASSERT_TRUE(lease) << lease.error().text();
    const auto seen = live();
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].purpose, LeasePurpose::kCopy);
    EXPECT_EQ(seen[0].start, (*lease)->start());
    EXPECT_EQ(seen[0].start, objects().at(0).received);
    EXPECT_TRUE((*lease)->still_held().value());
  }
  EXPECT_TRUE(objects().empty());
}

TEST_F(LeaseTest, SeveralAreHeldAtOnce) {
  const auto one = Lease::take(*store_, LeasePurpose::kBackup).value();
  const auto two = Lease::take(*store_, LeasePurpose::kBackup).value();
  EXPECT_EQ(live().size(), 2U);
}

TEST_F(LeaseTest, IsRenewedUnderAnotherNameAndKeepsItsStart) {
  const auto lease = Lease::take(*store_, LeasePurpose::kBackup, 1ms).value();
  const std::int64_t start = lease->start();
  ASSERT_TRUE(eventually([&] {
    disk_.advance_clock(kMinute);
    const auto leases = store_->list(Kind::kLease).value();
    return leases.size() == 1 && leases[0].received > start + 60 * kMinute;
  })) << "not renewed";
  const auto seen = live();
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].start, start);
}

TEST_F(LeaseTest, LapsesAfterItsTermByTheStoresClockAndIsNeverHeldAgain) {
  const auto lease = Lease::take(*store_, LeasePurpose::kBackup).value();
  disk_.advance_clock(kLeaseTerm - kMinute);
  EXPECT_TRUE(lease->still_held().value());
  EXPECT_EQ(live().size(), 1U);
  disk_.advance_clock(2 * kMinute);
  EXPECT_TRUE(live().empty());
  EXPECT_EQ(objects().size(), 1U) << "only looked at";
  EXPECT_FALSE(lease->still_held().value());
  EXPECT_TRUE(live(/*remove_lapsed=*/true).empty());
  EXPECT_TRUE(objects().empty());
  disk_.advance_clock(-10 * kMinute);
  EXPECT_FALSE(lease->still_held().value());
}

TEST_F(LeaseTest, IsLostWhenTheStoreLosesIt) {
  const auto lease = Lease::take(*store_, LeasePurpose::kBackup).value();
  ASSERT_TRUE(store_->remove(Kind::kLease, objects().at(0).id));
  EXPECT_FALSE(lease->still_held().value());
}

TEST_F(LeaseTest, ARenewalThatComesTooLateDoesNotHideTheGap) {
  const auto lease = Lease::take(*store_, LeasePurpose::kBackup, 300ms).value();
  disk_.advance_clock(kLeaseTerm + kMinute);
  ASSERT_TRUE(eventually([&] { return store_->now().value() - objects().at(0).received < kMinute; }));
  EXPECT_FALSE(lease->still_held().value());
}

TEST_F(LeaseTest, ARenewalThatFailsIsTriedAgain) {
  std::atomic<int> refusals{3};
  store::FaultyStore faulty(*store_);
  faulty.fail([&](store::FaultyStore::Call call, Kind kind, const store::ObjectId& id) {
    // The first lease is let through: only it has no renewals, and so the refusals begin after it.
    return call == store::FaultyStore::Call::kPut && kind == Kind::kLease && !id.is_zero() &&
           faulty.calls(store::FaultyStore::Call::kPut) > 1 && refusals.fetch_sub(1) > 0;
  });
  const auto lease = Lease::take(faulty, LeasePurpose::kBackup, 10ms).value();
  const store::ObjectId first = objects().at(0).id;
  EXPECT_TRUE(eventually([&] {
    const auto leases = store_->list(Kind::kLease).value();
    return leases.size() == 1 && leases[0].id != first;
  }));
  EXPECT_LE(refusals.load(), 0);
  EXPECT_TRUE(lease->still_held().value());
}

TEST_F(LeaseTest, AStoreThatTakesNoneIsSaidAtOnce) {
  disk_.fail_from(disk_.operations(), EROFS);
  const auto lease = Lease::take(*store_, LeasePurpose::kRead);
  ASSERT_FALSE(lease);
  EXPECT_TRUE(lease.error().message().contains("cannot tell the repository")) << lease.error().text();
}

TEST_F(LeaseTest, EndsPromptlyThoughTheNextRenewalIsFar) {
  // Else this takes until then, longer than any test may.
  const auto lease = Lease::take(*store_, LeasePurpose::kBackup).value();
}

TEST_F(LeaseTest, WhatCannotBeReadHoldsFromItsReceipt) {
  const auto garbage = base::as_bytes("KURALEAS of a later version");
  ASSERT_TRUE(store_->put(Kind::kLease, crypto::sha256(garbage), garbage));
  ASSERT_EQ(live().size(), 1U);
  EXPECT_EQ(live()[0].start, objects().at(0).received);
}

TEST_F(LeaseTest, AStartLaterThanTheReceiptIsNotBelieved) {
  const base::Bytes bytes = LeaseObject{.start = INT64_MAX}.encode();
  ASSERT_TRUE(store_->put(Kind::kLease, crypto::sha256(bytes), bytes));
  EXPECT_EQ(live().at(0).start, objects().at(0).received);
}

TEST_F(LeaseTest, OneThatIsJustBeingRenewedIsOneSession) {
  LeaseObject lease{.session = {1}, .purpose = LeasePurpose::kBackup};
  for (std::uint32_t renewals = 0; renewals < 2; ++renewals) {
    lease.renewals = renewals;
    const base::Bytes bytes = lease.encode();
    ASSERT_TRUE(store_->put(Kind::kLease, crypto::sha256(bytes), bytes));
    lease.start = objects().at(0).received;
  }
  ASSERT_EQ(live().size(), 1U);
  EXPECT_EQ(live()[0].start, lease.start);
}

}  // namespace
}  // namespace kura::archive
