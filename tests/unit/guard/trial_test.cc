#include "guard/model/trial.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/time.h"
#include "guard/model/token_bucket.h"

namespace kura::guard {
namespace {

constexpr std::int64_t kHour = 3600 * base::kSecond;

const std::vector<Sign> kWeak = {Sign::kCanaryTouched, Sign::kRandomNew, Sign::kSealedNew, Sign::kExtension,
                                 Sign::kNote,          Sign::kDeleted,   Sign::kRenamed};

TEST(Trial, ThreeBrokenFilesAreProofAndTwoAreNot) {
  Trial trial;
  trial.add(Sign::kBecameBroken, "a", 0);
  EXPECT_EQ(trial.standing(0), Standing::kWatched);
  trial.add(Sign::kReplaced, "b", 0);
  EXPECT_EQ(trial.standing(0), Standing::kSuspect);
  trial.add(Sign::kBecameBroken, "b", 0);
  EXPECT_EQ(trial.standing(0), Standing::kSuspect) << "the same file again proves nothing more";
  trial.add(Sign::kBecameBroken, "c", 0);
  EXPECT_EQ(trial.standing(0), Standing::kProven);
}

TEST(Trial, ASlowAttackIsProvenAtTheSameFile) {
  for (const std::int64_t pace : {kHour, 24 * kHour, 48 * kHour}) {
    Trial trial;
    for (int file = 0; file < 3; ++file) trial.add(Sign::kBecameBroken, std::to_string(file), file * pace);
    EXPECT_EQ(trial.standing(2 * pace), Standing::kProven) << pace / kHour;
  }
}

TEST(Trial, ACanaryIsProofByItself) {
  Trial trial;
  trial.add(Sign::kCanaryBroken, "a", 0);
  EXPECT_EQ(trial.standing(0), Standing::kProven);
  EXPECT_FALSE(trial.retract("a"));
}

TEST(Trial, WhatTurnsOutToBeWholeIsTakenBack) {
  Trial trial;
  trial.add(Sign::kBecameBroken, "a", 0);
  trial.renamed("a", "b");
  EXPECT_FALSE(trial.retract("a"));
  EXPECT_TRUE(trial.retract("b"));
  EXPECT_EQ(trial.standing(0), Standing::kCalm);
}

RC_GTEST_PROP(Trial, WeakSignsAndTwoBrokenFilesAreNeverProof, ()) {
  Trial trial;
  const auto signs = *rc::gen::container<std::vector<Sign>>(rc::gen::elementOf(kWeak));
  const int broken = *rc::gen::inRange(0, 3);
  std::int64_t now = 0;
  for (int i = 0; i < broken; ++i) trial.add(Sign::kBecameBroken, std::to_string(i), now);
  for (int times = 0; times < 20; ++times) {
    for (const Sign sign : signs) trial.add(sign, "weak", now += base::kSecond);
  }
  RC_ASSERT(trial.standing(now) != Standing::kProven);
}

RC_GTEST_PROP(Trial, ValidWorkInBetweenDoesNotHideThreeBrokenFiles, ()) {
  Trial trial;
  const auto between = *rc::gen::inRange(0, 110);
  std::int64_t now = 0;
  for (int file = 0; file < 3; ++file) {
    trial.add(Sign::kBecameBroken, std::to_string(file), now);
    for (int i = 0; i < between; ++i) trial.add_valid("valid-" + std::to_string(file * 1000 + i), now += base::kSecond);
  }
  RC_ASSERT(trial.standing(now) == Standing::kProven);
}

TEST(OpenBucket, LetsSoManyThroughAndThenSpacesThem) {
  using namespace std::chrono_literals;
  OpenBucket bucket(10, 5);
  const auto now = OpenBucket::Clock::now();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(bucket.take(now, 1s).count(), 0);
  EXPECT_NEAR(std::chrono::duration<double>(bucket.take(now, 1s)).count(), 0.1, 0.001);
  EXPECT_NEAR(std::chrono::duration<double>(bucket.take(now, 1s)).count(), 0.2, 0.001);
  for (int i = 0; i < 100; ++i) EXPECT_LE(bucket.take(now, 1s), 1s);
  EXPECT_EQ(bucket.take(now + 5s, 1s).count(), 0);
}

}  // namespace
}  // namespace kura::guard
