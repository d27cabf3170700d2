#include "vault/holding/lost.h"

#include <filesystem>
#include <fstream>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/vault/holding_test.h"
#include "vault/holding/scrub.h"

namespace kura::vault {
namespace {

using store::Kind;
using store::ObjectId;

class LostTest : public test::HoldingTest {
 protected:
  std::string file_of(Kind kind, const ObjectId& id) const {
    const std::string folder = path_ + "/objects/" + std::string(folder_of(kind)) + "/";
    const std::string sharded = folder + id.hex().substr(0, 2) + "/" + id.hex();
    return std::filesystem::exists(sharded) ? sharded : folder + id.hex();
  }
  void lose(Kind kind, const ObjectId& id) const { ASSERT_TRUE(std::filesystem::remove(file_of(kind, id))); }
  void search() {
    LostSearch search(*holding_);
    while (*search.next()) {
    }
  }
  std::vector<ObjectId> found() const {
    std::vector<ObjectId> ids;
    for (const Damage& one : holding_->damage()) ids.push_back(one.id);
    return ids;
  }
  ObjectId only(Kind kind) const { return builder_.store().list(kind)->front().id; }
  base::Status repair(Kind kind, const ObjectId& id) { return holding_->repair(kind, id, object(kind, id), "b"); }
};

TEST_F(LostTest, NothingIsLostWhereAllIsHere) {
  search();
  back_up("first");
  back_up("second");
  search();
  EXPECT_TRUE(found().empty());
}

TEST_F(LostTest, APackThatWasRemovedWhileTheVaultWasOffIsFoundAndCountsAgainAfterItsRepair) {
  back_up("first");
  back_up("second");
  const std::uint64_t used = space_->used("office");
  const ObjectId pack = builder_.packs()[0];
  lose(Kind::kPack, pack);
  reopen();
  EXPECT_LT(space_->used("office"), used);
  ASSERT_TRUE(std::make_unique<Scrub>(*holding_)->next());
  EXPECT_EQ(found(), std::vector{pack});
  const std::uint64_t entries = holding_->journal().head().sequence;
  search();
  EXPECT_EQ(holding_->journal().head().sequence, entries);  // once
  ASSERT_TRUE(repair(Kind::kPack, pack));
  for (int restart = 0; restart < 2; ++restart) {
    EXPECT_TRUE(found().empty());
    EXPECT_EQ(holding_->repaired(), 1U);
    EXPECT_TRUE(holding_->stat(Kind::kPack, pack));
    EXPECT_EQ(space_->used("office"), used);
    search();
    reopen();
  }
  back_up("third");
}

TEST_F(LostTest, AllKindsAreFoundAndCanBeRepairedAfterARestart) {
  const ObjectId snapshot = back_up("first");
  const std::uint64_t used = space_->used("office");
  const std::pair<Kind, ObjectId> lost[] = {{Kind::kConfig, only(Kind::kConfig)},
                                            {Kind::kKey, only(Kind::kKey)},
                                            {Kind::kSnapshot, snapshot},
                                            {Kind::kIndex, builder_.indexes()[0]},
                                            {Kind::kPack, builder_.packs()[0]}};
  for (const auto& [kind, id] : lost) lose(kind, id);
  reopen();
  // Each leads to the next.
  for (int round = 0; round < 8; ++round) {
    Scrub scrub(*holding_);
    for (auto step = scrub.next(); step && !step->ends_round;) step = scrub.next();
    for (const Damage& one : holding_->damage()) EXPECT_TRUE(repair(one.kind, one.id));
  }
  EXPECT_EQ(holding_->repaired(), std::size(lost));
  EXPECT_TRUE(found().empty());
  EXPECT_EQ(space_->used("office"), used);
  back_up("second");
}

TEST_F(LostTest, WithoutItsConfigTheRepositoryIsServedAndTakesNoOther) {
  back_up("first");
  const ObjectId config = only(Kind::kConfig);
  std::filesystem::permissions(file_of(Kind::kConfig, config), std::filesystem::perms::owner_all);
  std::ofstream(file_of(Kind::kConfig, config)) << "junk";
  reopen();
  EXPECT_EQ(holding_->snapshots().size(), 1U);
  archive::test::RepositoryBuilder stranger;
  const ObjectId other = stranger.store().list(Kind::kConfig)->front().id;
  EXPECT_FALSE(holding_->may_send(Kind::kConfig, other, 10));
  EXPECT_FALSE(holding_->put(Kind::kConfig, other, *stranger.store().get(Kind::kConfig, other, 4096), "pc1"));
  EXPECT_FALSE(holding_->may_send(Kind::kPack, other, 10));
  EXPECT_FALSE(holding_->collect(std::chrono::seconds(0)));
  search();
  EXPECT_EQ(found(), std::vector{config});
  ASSERT_TRUE(repair(Kind::kConfig, config));
  back_up("second");
}

TEST_F(LostTest, WhatNothingNeedsIsNoLoss) {
  keep("daily=1");
  back_up("first");
  const ObjectId only_first = builder_.packs()[0];
  send_without_commit("never");
  lose(Kind::kPack, builder_.packs().back());
  reopen();
  search();
  EXPECT_TRUE(found().empty());
  lose(Kind::kPack, only_first);
  reopen();
  search();
  EXPECT_EQ(found(), std::vector{only_first});
}

TEST_F(LostTest, WhatGarbageCollectionTakesMeanwhileIsNoLoss) {
  keep("daily=1");
  const ObjectId first = back_up("first");
  LostSearch search(*holding_);
  now_ += 2 * test::kADay;
  const ObjectId second = back_up("second");
  ASSERT_TRUE(search.next());
  ASSERT_EQ(*holding_->expire(), 1U);
  ASSERT_TRUE(holding_->collect(std::chrono::seconds(0)));
  ASSERT_TRUE(holding_->collect(std::chrono::seconds(0)));
  while (*search.next()) {
  }
  EXPECT_TRUE(found().empty());
  EXPECT_FALSE(holding_->stat(Kind::kSnapshot, first));
  EXPECT_TRUE(holding_->stat(Kind::kSnapshot, second));
}

}  // namespace
}  // namespace kura::vault
