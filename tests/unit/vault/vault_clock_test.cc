#include "vault/clock/vault_clock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace kura::vault {
namespace {

constexpr std::int64_t kOneHour = 3600 * base::kSecond;
constexpr std::int64_t kOneDay = 24 * kOneHour;
constexpr std::int64_t kOneYear = 365 * kOneDay;
constexpr std::int64_t kFirst = 1'800'000'000 * base::kSecond;

class VaultClockTest : public ::testing::Test {
 protected:
  VaultClock::Sources sources() {
    return {.wall = [this] { return wall_; }, .steady = [this] { return steady_; }};
  }
  void pass(std::int64_t time) {
    wall_ += time;
    steady_ += time;
  }
  std::int64_t wall_ = kFirst, steady_ = 5;
};

TEST_F(VaultClockTest, IsTheMachinesClockWhileThatRunsOn) {
  VaultClock clock(sources());
  clock.start();
  for (int day = 0; day < 400; ++day) {
    EXPECT_EQ(clock.now(), wall_);
    pass(kOneDay);
  }
  EXPECT_EQ(clock.doubt(), std::nullopt);
}

TEST_F(VaultClockTest, AJumpIsNotFollowedUntilAPersonSaysSo) {
  for (const std::int64_t jump : {kOneYear, -kOneYear, kOneHour, -kOneHour, 5 * 60 * base::kSecond}) {
    VaultClock clock(sources());
    clock.start();
    pass(kOneDay);
    const std::int64_t before = clock.now();
    wall_ += jump;
    EXPECT_EQ(clock.now(), before) << jump;
    ASSERT_TRUE(clock.doubt());
    EXPECT_THAT(*clock.doubt(), ::testing::HasSubstr("jumped"));
    pass(kOneHour);
    EXPECT_EQ(clock.now(), before + kOneHour);
    clock.trust();
    EXPECT_EQ(clock.doubt(), std::nullopt);
    EXPECT_EQ(clock.now(), std::max(wall_, before + kOneHour));
    wall_ = std::max(wall_, kFirst);
  }
}

TEST_F(VaultClockTest, SettingTheClockRightByAFewSecondsIsNoDoubtAndNeverGoesBack) {
  VaultClock clock(sources());
  clock.start();
  const std::int64_t before = clock.now();
  wall_ += 10 * base::kSecond;
  EXPECT_EQ(clock.now(), before + 10 * base::kSecond);
  wall_ -= 20 * base::kSecond;
  EXPECT_EQ(clock.now(), before + 10 * base::kSecond);
  pass(30 * base::kSecond);
  EXPECT_EQ(clock.now(), wall_);
  EXPECT_EQ(clock.doubt(), std::nullopt);
}

TEST_F(VaultClockTest, SmallStepsThatAddUpAreAJump) {
  VaultClock clock(sources());
  clock.start();
  for (int i = 0; i < 100; ++i) {
    pass(60 * base::kSecond);
    wall_ += 60 * base::kSecond;
    clock.now();
  }
  EXPECT_TRUE(clock.doubt());
  EXPECT_LE(clock.now(), kFirst + 101 * 60 * base::kSecond + 2 * VaultClock::kMostStep);
}

TEST_F(VaultClockTest, AStartThatCannotFollowOnWhatWasSeenIsInDoubt) {
  struct Case {
    std::int64_t later;
    bool doubt;
  };
  for (const Case one :
       {Case{0, false}, Case{-60 * base::kSecond, false}, Case{20 * kOneHour, false}, Case{30 * kOneHour, true},
        Case{kOneYear, true}, Case{-kOneHour, true}, Case{-kOneYear, true}}) {
    wall_ = kFirst + one.later;
    VaultClock clock(sources());
    clock.saw(kFirst);
    clock.saw(kFirst - kOneDay);
    clock.start();
    EXPECT_EQ(clock.doubt().has_value(), one.doubt) << one.later;
    EXPECT_EQ(clock.now(), one.doubt ? kFirst : std::max(wall_, kFirst)) << one.later;
  }
}

TEST_F(VaultClockTest, DoubtOutlastsARestart) {
  VaultClock clock(sources());
  clock.saw(kFirst);
  clock.start(true);
  EXPECT_TRUE(clock.doubt());
  clock.trust();
  EXPECT_FALSE(clock.doubt());
}

TEST_F(VaultClockTest, ANewVaultTakesTheClockAsItIs) {
  VaultClock clock(sources());
  clock.start();
  EXPECT_FALSE(clock.doubt());
}

// Whatever the wall clock does, the vault's time runs no faster than time does, but for steps that are no doubt.
RC_GTEST_PROP(VaultClockPropertyTest, NoSeriesOfJumpsMovesItFurtherThanWhatIsAllowed, ()) {
  std::int64_t wall = kFirst, steady = 0;
  VaultClock clock({.wall = [&] { return wall; }, .steady = [&] { return steady; }});
  clock.saw(kFirst);
  clock.start();
  std::int64_t last = clock.now();
  for (int i = 0; i < 50; ++i) {
    const std::int64_t passes = *rc::gen::inRange<std::int64_t>(0, kOneDay);
    steady += passes;
    wall += passes + *rc::gen::element<std::int64_t>(0, 0, 1, -1) * *rc::gen::inRange<std::int64_t>(0, kOneYear);
    const std::int64_t now = clock.now();
    RC_ASSERT(now >= last);
    last = now;
    const std::int64_t allowed =
        VaultClock::kMostStep +
        static_cast<std::int64_t>(static_cast<double>(steady) / kOneDay * VaultClock::kMostDriftADay);
    RC_ASSERT(now <= kFirst + steady + allowed);
  }
}

}  // namespace
}  // namespace kura::vault
