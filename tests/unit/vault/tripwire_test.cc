#include "vault/holding/tripwire.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace kura::vault {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t kGb = 1'000'000'000;

// A server of 100 GB on which a day changes one percent.
std::vector<Change> quiet_month() {
  return std::vector<Change>(30, Change{.before = 100 * kGb, .added = kGb, .dropped = kGb / 2});
}

TEST(TripwireTest, UsualDaysAreNoSurprise) {
  for (const std::uint64_t added : {kGb / 100, kGb, 4 * kGb, 7 * kGb}) {
    EXPECT_EQ(surprise({.before = 100 * kGb, .added = added, .dropped = added / 2}, quiet_month()), std::nullopt);
  }
}

TEST(TripwireTest, FilesThatAreAllNewAreASurprise) {
  const auto told = surprise({.before = 100 * kGb, .added = 160 * kGb, .dropped = 95 * kGb}, quiet_month());
  ASSERT_TRUE(told);
  EXPECT_THAT(*told, HasSubstr("160.0 %"));
  EXPECT_THAT(*told, HasSubstr("compressed"));
}

TEST(TripwireTest, ATenthOfAllFilesIsASurpriseOnAQuietServer) {
  EXPECT_TRUE(surprise({.before = 100 * kGb, .added = 11 * kGb, .dropped = 2 * kGb}, quiet_month()));
}

TEST(TripwireTest, FilesThatAreGoneAreASurprise) {
  const auto told = surprise({.before = 100 * kGb, .added = 0, .dropped = 60 * kGb}, quiet_month());
  ASSERT_TRUE(told);
  EXPECT_THAT(*told, HasSubstr("no more"));
}

TEST(TripwireTest, TheFirstBackupAndSmallOnesAreNone) {
  EXPECT_EQ(surprise({.before = 0, .added = 100 * kGb}, {}), std::nullopt);
  EXPECT_EQ(surprise({.before = 1'000'000, .added = 2'000'000, .dropped = 1'000'000}, quiet_month()), std::nullopt);
}

TEST(TripwireTest, WithoutHistoryHalfOfAllIsTheLimit) {
  EXPECT_EQ(surprise({.before = 100 * kGb, .added = 45 * kGb}, {}), std::nullopt);
  EXPECT_TRUE(surprise({.before = 100 * kGb, .added = 55 * kGb}, {}));
}

// An attacker who teaches the tripwire by ever larger changes gets no further than all bytes of a backup.
TEST(TripwireTest, ABusyHistoryNeverMakesAllNewFilesUsual) {
  const std::vector<Change> busy(30, Change{.before = 100 * kGb, .added = 60 * kGb, .dropped = 60 * kGb});
  EXPECT_TRUE(surprise({.before = 100 * kGb, .added = 101 * kGb, .dropped = 95 * kGb}, busy));
}

RC_GTEST_PROP(TripwirePropertyTest, MoreIsNeverLessOfASurprise, ()) {
  std::vector<Change> history(*rc::gen::inRange<std::size_t>(0, 40));
  for (Change& change : history) {
    change.before = *rc::gen::inRange<std::uint64_t>(0, 100 * kGb);
    change.added = *rc::gen::inRange<std::uint64_t>(0, 100 * kGb);
    change.dropped = *rc::gen::inRange<std::uint64_t>(0, change.before + 1);
  }
  Change change{.before = *rc::gen::inRange<std::uint64_t>(1, 100 * kGb),
                .added = *rc::gen::inRange<std::uint64_t>(0, 200 * kGb)};
  const bool before = surprise(change, history).has_value();
  change.added += *rc::gen::inRange<std::uint64_t>(0, 100 * kGb);
  RC_ASSERT(!before || surprise(change, history).has_value());
}

}  // namespace
}  // namespace kura::vault
