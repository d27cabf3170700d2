#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

#include "archive/repo/known_locks.h"
#include "support/archive/format_samples.h"
#include "support/temporary_folder.h"

namespace kura::archive {
namespace {

using test::digest_of;

class KnownLocksTest : public ::testing::Test {
 protected:
  kura::test::TemporaryFolder folder_;
  const std::string path_ = folder_ / "locks";
};

TEST_F(KnownLocksTest, KeepsWhatHasNotEnded) {
  KnownLocks known;
  known.set(digest_of(1), 100);
  known.set(digest_of(2), 50);
  known.save(path_, /*now=*/50);
  const KnownLocks back = KnownLocks::load(path_);
  EXPECT_EQ(back.until(digest_of(1)), 100);
  EXPECT_EQ(back.until(digest_of(2)), 0);
}

TEST_F(KnownLocksTest, AFileThatIsNotThereOrDamagedKnowsNothing) {
  EXPECT_EQ(KnownLocks::load(path_).until(digest_of(1)), 0);
  KnownLocks known;
  known.set(digest_of(1), 100);
  known.save(path_, 0);
  std::ifstream file(path_, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(file)), {});
  for (std::size_t i = 0; i < whole.size(); ++i) {
    std::string damaged = whole;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    const std::string other = folder_ / "damaged-" + std::to_string(i);
    std::ofstream(other, std::ios::binary) << damaged;
    EXPECT_EQ(KnownLocks::load(other).until(digest_of(1)), 0) << i;
  }
}

TEST_F(KnownLocksTest, WhatDidNotChangeIsNotWritten) {
  KnownLocks known;
  known.set(digest_of(1), 0);
  known.save(path_, 0);
  EXPECT_FALSE(std::ifstream(path_).good());
}

}  // namespace
}  // namespace kura::archive
