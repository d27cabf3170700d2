#include "store/s3_locks.h"

#include <gtest/gtest.h>

#include "base/time.h"
#include "support/store/sample.h"

namespace kura::store {
namespace {

using std::chrono::days;

std::int64_t in(std::chrono::seconds time) { return base::now_ns() + time.count() * base::kSecond; }

TEST(S3Locks, ALockIsLongerThanAskedForSoThatItNeedNotMoveWithEachSnapshot) {
  const S3Locks locks{days(30)};
  EXPECT_NEAR(static_cast<double>(locks.until(Kind::kPack).value()), static_cast<double>(in(days(45))), 60e9);
  EXPECT_NEAR(static_cast<double>(locks.until(Kind::kSnapshot).value()), static_cast<double>(in(days(30))), 60e9);
  EXPECT_NEAR(static_cast<double>(S3Locks(days(3650)).until(Kind::kKey).value()),
              static_cast<double>(in(days(3650 + 180))), 60e9);
  EXPECT_TRUE(locks.suffices(in(days(31))));
  EXPECT_FALSE(locks.suffices(in(days(29))));
}

TEST(S3Locks, WhereLocksAreRenewedSnapshotsAreLockedAsLongAsWhatTheyNeed) {
  const S3Locks locks(days(30), /*renewed=*/true);
  EXPECT_NEAR(static_cast<double>(locks.until(Kind::kSnapshot).value()), static_cast<double>(in(days(45))), 60e9);
  EXPECT_EQ(locks.until(Kind::kLease), std::nullopt);
}

TEST(S3Locks, LeasesAndListsAreNeverLockedAndNothingIsWithoutATime) {
  EXPECT_EQ(S3Locks(days(30)).until(Kind::kLease), std::nullopt);
  EXPECT_EQ(S3Locks(days(30)).until(Kind::kCondemned), std::nullopt);
  const S3Locks none{std::chrono::seconds(0)};
  EXPECT_EQ(none.until(Kind::kPack), std::nullopt);
  EXPECT_TRUE(none.suffices(0));
}

TEST(S3Locks, RemembersWhatItWasTold) {
  S3Locks locks{days(30)};
  EXPECT_EQ(locks.known(sample(1).id), std::nullopt);
  locks.remember(sample(1).id, 5);
  locks.remember(sample(1).id, 7);
  EXPECT_EQ(locks.known(sample(1).id), 7);
}

}  // namespace
}  // namespace kura::store
