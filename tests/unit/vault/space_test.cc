#include "vault/holding/space.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace kura::vault {
namespace {

using base::ErrorCode;
using ::testing::HasSubstr;

class SpaceTest : public ::testing::Test {
 protected:
  std::shared_ptr<Space> space(std::uint64_t reserve) {
    return std::make_shared<Space>([this]() -> base::Result<Space::Disk> { return disk_; }, reserve);
  }
  // Writes `bytes` as a repository does.
  bool store(Space& space, const std::string& repository, std::uint64_t bytes) {
    auto claim = space.claim(repository, bytes);
    if (!claim) {
      EXPECT_EQ(claim.error().code(), ErrorCode::kNoSpace);
      return false;
    }
    disk_.free -= bytes;
    claim->kept();
    return true;
  }
  Space::Disk disk_{.free = 1000, .total = 1000};
};

TEST_F(SpaceTest, ARepositoryEndsAtItsQuota) {
  const auto all = space(0);
  all->set_used("office", 60);
  all->set_quota("office", 100, "");
  EXPECT_TRUE(store(*all, "office", 40));
  EXPECT_FALSE(store(*all, "office", 1));
  EXPECT_TRUE(store(*all, "other", 500));
  all->released("office", 10);
  EXPECT_TRUE(store(*all, "office", 10));
  EXPECT_EQ(all->used("office"), 100U);
}

TEST_F(SpaceTest, WhatIsOnItsWayCountsAndIsGivenBack) {
  const auto all = space(0);
  all->set_quota("office", 100, "");
  {
    const auto one = all->claim("office", 60);
    ASSERT_TRUE(one);
    EXPECT_FALSE(all->claim("office", 60));
  }
  EXPECT_TRUE(all->claim("office", 60));
  EXPECT_EQ(all->used("office"), 0U);
}

TEST_F(SpaceTest, TheRepositoriesOfACustomerShareItsQuota) {
  const auto all = space(0);
  all->set_quota("a1", 0, "acme");
  all->set_quota("a2", 0, "acme");
  all->set_quota("b1", 0, "other");
  all->set_customer_quota("acme", 100);
  EXPECT_TRUE(store(*all, "a1", 70));
  const auto refused = all->claim("a2", 40);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("customer acme"));
  EXPECT_TRUE(store(*all, "a2", 30));
  EXPECT_TRUE(store(*all, "b1", 300));
}

TEST_F(SpaceTest, AFloodLeavesTheOthersTheirShareOfTheReserve) {
  const auto all = space(300);
  for (const char* name : {"good1", "good2", "flood"}) all->set_used(name, 0);
  while (store(*all, "flood", 7)) {
  }
  EXPECT_GE(disk_.free, 200U);
  for (const char* name : {"good1", "good2"}) {
    for (int i = 0; i < 10; ++i) EXPECT_TRUE(store(*all, name, 10)) << name;
  }
  EXPECT_FALSE(store(*all, "flood", 7));
}

TEST_F(SpaceTest, SmallFilesCostWhatTheDiskHasForAFile) {
  disk_.least_cost = 100;
  const auto all = space(500);
  all->set_used("good", 0);
  int files = 0;
  while (all->claim("flood", 1)) {
    disk_.free -= 100;
    ++files;
  }
  EXPECT_LE(files, 8);
  EXPECT_TRUE(all->claim("good", 1));
}

TEST_F(SpaceTest, TheShareIsThereAgainWhenTheDiskHasRoom) {
  const auto all = space(100);
  all->set_used("other", 0);
  disk_.free = 100;
  EXPECT_TRUE(store(*all, "office", 50));
  EXPECT_FALSE(store(*all, "office", 10));
  disk_.free = 1000;
  EXPECT_TRUE(store(*all, "office", 10));
  disk_.free = 100;
  EXPECT_TRUE(store(*all, "office", 50));
}

RC_GTEST_PROP(SpacePropertyTest, NoOrderOfClaimsGoesBeyondAQuotaOrTakesAnothersShare, ()) {
  const std::uint64_t reserve = 400;
  Space::Disk disk{.free = 1000, .total = 1000};
  const auto all = std::make_shared<Space>([&]() -> base::Result<Space::Disk> { return disk; }, reserve);
  const std::vector<std::string> names = {"a", "b", "flood", "d"};
  for (const std::string& name : names) all->set_used(name, 0);
  all->set_quota("b", 150, "");
  const auto steps = *rc::gen::inRange(1, 200);
  for (int i = 0; i < steps; ++i) {
    const std::string name = *rc::gen::elementOf(names);
    const auto bytes = *rc::gen::inRange<std::uint64_t>(1, 60);
    auto claim = all->claim(name, bytes);
    if (!claim) continue;
    RC_ASSERT(disk.free >= bytes);
    disk.free -= bytes;
    claim->kept();
    RC_ASSERT(all->used("b") <= 150U);
  }
  while (auto claim = all->claim("flood", 10)) {
    disk.free -= 10;
    claim->kept();
  }
  // Whoever has taken nothing of the reserve has his share, whatever the others did.
  const auto fresh = all->claim("a", 1);
  RC_ASSERT(fresh || all->used("a") >= reserve / names.size());
}

}  // namespace
}  // namespace kura::vault
