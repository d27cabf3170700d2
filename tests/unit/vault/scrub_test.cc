#include "vault/holding/scrub.h"

#include <filesystem>
#include <fstream>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/vault/holding_test.h"

namespace kura::vault {
namespace {

using store::Kind;
using store::ObjectId;

class ScrubTest : public test::HoldingTest {
 protected:
  std::string path_of(Kind kind, const ObjectId& id) const {
    for (const auto& file :
         std::filesystem::recursive_directory_iterator(path_ + "/objects/" + std::string(folder_of(kind)))) {
      if (file.path().filename() == id.hex()) return file.path();
    }
    return {};
  }
  void damage(Kind kind, const ObjectId& id) const {
    const std::string path = path_of(kind, id);
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    const int byte = file.get();
    file.seekp(0);
    file.put(static_cast<char>(byte ^ 1));
  }
  // A whole round; how many objects it read.
  int round(Scrub& scrub) {
    for (int objects = 0;; ++objects) {
      const auto step = scrub.next();
      EXPECT_TRUE(step);
      if (!step || step->ends_round) return objects;
    }
  }
  std::vector<ObjectId> damaged() const {
    std::vector<ObjectId> ids;
    for (const Damage& one : holding_->damage()) ids.push_back(one.id);
    return ids;
  }
};

TEST_F(ScrubTest, ReadsAllThatIsHereAndFindsNothingWrong) {
  back_up("first");
  Scrub scrub(*holding_);
  // Config, key, snapshot, index.
  EXPECT_EQ(round(scrub), 4 + static_cast<int>(count(Kind::kPack)));
  EXPECT_TRUE(damaged().empty());
  EXPECT_EQ(holding_->last_scrubbed(), now_);
}

TEST_F(ScrubTest, DamageIsToldOnceAndKnownAfterARestart) {
  const ObjectId snapshot = back_up("first");
  const ObjectId pack = builder_.packs()[0];
  damage(Kind::kPack, pack);
  damage(Kind::kSnapshot, snapshot);
  {
    Scrub scrub(*holding_);
    round(scrub);
    const std::uint64_t entries = holding_->journal().head().sequence;
    round(scrub);
    EXPECT_EQ(holding_->journal().head().sequence, entries);
  }
  for (int restart = 0; restart < 2; ++restart) {
    EXPECT_THAT(damaged(), ::testing::UnorderedElementsAre(pack, snapshot));
    reopen();
  }
}

TEST_F(ScrubTest, AnObjectThatIsMissingIsDamage) {
  back_up("first");
  std::filesystem::remove(path_of(Kind::kPack, builder_.packs()[0]));
  Scrub scrub(*holding_);
  round(scrub);
  EXPECT_EQ(damaged(), std::vector<ObjectId>{builder_.packs()[0]});
}

TEST_F(ScrubTest, OnlyTheRightBytesRepair) {
  back_up("first");
  const ObjectId pack = builder_.packs()[0], whole = builder_.packs()[1];
  const base::Bytes right = object(Kind::kPack, pack);
  damage(Kind::kPack, pack);
  round(*std::make_unique<Scrub>(*holding_));
  EXPECT_FALSE(holding_->repair(Kind::kPack, pack, object(Kind::kPack, whole), "b"));
  EXPECT_FALSE(holding_->repair(Kind::kPack, whole, object(Kind::kPack, whole), "b"));
  EXPECT_FALSE(holding_->repair(Kind::kIndex, pack, right, "b"));
  ASSERT_TRUE(holding_->repair(Kind::kPack, pack, right, "b"));
  for (int restart = 0; restart < 2; ++restart) {
    EXPECT_TRUE(damaged().empty());
    EXPECT_TRUE(holding_->verify(Kind::kPack, pack, right.size()));
    reopen();
  }
}

TEST_F(ScrubTest, WhatIsWholeAgainIsNoDamage) {
  back_up("first");
  damage(Kind::kPack, builder_.packs()[0]);
  Scrub scrub(*holding_);
  round(scrub);
  damage(Kind::kPack, builder_.packs()[0]);  // the bit flips back
  round(scrub);
  EXPECT_TRUE(damaged().empty());
}

TEST_F(ScrubTest, ARoundGoesOnWhereARestartLeftIt) {
  back_up("first");
  back_up("second");
  const int all = [&] {
    Scrub scrub(*holding_);
    return round(scrub);
  }();
  {
    Scrub scrub(*holding_);
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(scrub.next());
  }
  reopen();
  Scrub scrub(*holding_);
  EXPECT_EQ(holding_->last_scrubbed(), now_);
  EXPECT_EQ(round(scrub), all - 4);
}

TEST_F(ScrubTest, AMemoryThatCannotBeReadBeginsARoundAnew) {
  back_up("first");
  for (const char* text : {"", "x", "9 00 1", "1 zz 3", "18446744073709551616 0 0"}) {
    std::ofstream(path_ + "/scrub") << text;
    Scrub scrub(*holding_);
    EXPECT_GT(round(scrub), 4) << text;
  }
}

}  // namespace
}  // namespace kura::vault
