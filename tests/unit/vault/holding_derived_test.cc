#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "support/vault/holding_test.h"

namespace kura::vault {
namespace {

using std::chrono::hours;
using store::Kind;
using store::ObjectId;

using test::kADay;

std::shared_ptr<Database> database_at(const std::string& path, const base::Key& seed) {
  return *Database::open({.address = path, .seed = seed});
}

class HoldingDerivedTest : public test::HoldingTest {
 protected:
  void SetUp() override {
    HoldingTest::SetUp();
    reopen_with_database();
  }
  // As after a restart, with all written that was to be.
  void reopen_with_database() {
    if (database_ != nullptr) ASSERT_TRUE(database_->settled(std::chrono::seconds(20)));
    holding_.reset();
    database_.reset();
    database_ = database_at(file_, seed_);
    holding_ = *Holding::open(path_, seed_, [this] { return now_; }, {.space = space_, .database = database_});
  }
  std::string snapshot_file(const ObjectId& id) const { return path_ + "/objects/snapshots/" + id.hex(); }

  const std::string file_ = folder_ / "derived.sqlite";
  std::shared_ptr<Database> database_;
};

TEST_F(HoldingDerivedTest, AfterARestartNoSnapshotIsReadToCollect) {
  const ObjectId id = back_up("first");
  const std::size_t packs = count(Kind::kPack);
  send_without_commit("interrupted");
  reopen_with_database();
  std::filesystem::resize_file(snapshot_file(id), 0);
  const auto collected = holding_->collect(hours(0));
  ASSERT_TRUE(collected) << collected.error().text();
  EXPECT_GT(collected->packs, 0U);
  EXPECT_EQ(count(Kind::kPack), packs);
}

TEST_F(HoldingDerivedTest, WhatIsNotRememberedIsReadOnceAndThenIs) {
  const ObjectId id = back_up("first");
  ASSERT_TRUE(database_->settled(std::chrono::seconds(20)));
  holding_.reset();
  database_.reset();
  ASSERT_TRUE(remove_sqlite(file_));
  reopen_with_database();
  ASSERT_TRUE(holding_->collect(hours(0)));
  reopen_with_database();
  std::filesystem::resize_file(snapshot_file(id), 0);
  EXPECT_TRUE(holding_->collect(hours(0)));
  // Without any memory it has to be read, and cannot be.
  holding_.reset();
  holding_ = *Holding::open(path_, seed_, [this] { return now_; }, {.space = space_});
  EXPECT_FALSE(holding_->collect(hours(0)));
}

TEST_F(HoldingDerivedTest, SnapshotsThatWentAreForgotten) {
  keep("daily=1");
  const ObjectId old = back_up("old");
  now_ += kADay;
  const ObjectId young = back_up("young");
  EXPECT_EQ(*holding_->expire(), 1U);
  reopen_with_database();
  ASSERT_TRUE(database_->settled(std::chrono::seconds(20)));
  std::vector<base::Bytes> ids;
  ASSERT_TRUE(database_->now([&](Connection& connection) {
    ids.clear();
    return connection.run("select snapshot from kura_needs", {},
                          [&](Row row) { ids.emplace_back(row[0].begin(), row[0].end()); });
  }));
  ASSERT_EQ(ids.size(), 1U);
  EXPECT_EQ(ObjectId::from_bytes(ids[0]), young);
  EXPECT_NE(old, young);
}

// Two that are sent the same, one of which remembers.
class TwoHoldings {
 public:
  TwoHoldings() {
    for (const std::string name : {"plain", "remembering"}) {
      holdings_.push_back(*Holding::create(folder_ / name, "office", seed_, [this] { return now_; }));
    }
    open();
    for (const auto& holding : holdings_) {
      for (const Kind kind : {Kind::kConfig, Kind::kKey}) {
        for (const store::ObjectInfo& info : *builder_.store().list(kind)) {
          EXPECT_TRUE(holding->put(kind, info.id, object(kind, info.id), "pc1"));
        }
      }
      EXPECT_TRUE(holding->set_policy(*Policy::parse("daily=2"), "operator"));
    }
  }

  // What a crash or a hand may leave of the file.
  void restart(int damage) {
    if (damage != 0) (void)database_->settled(std::chrono::seconds(20));
    holdings_.clear();
    database_.reset();
    if (damage == 1) EXPECT_TRUE(remove_sqlite(file_));
    if (damage == 2 && std::filesystem::exists(file_)) {
      std::fstream file(file_, std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(*rc::gen::inRange(0, 40'000));
      for (int i = 0; i < 3000; ++i) file.put(static_cast<char>(i * 7));
    }
    holdings_.resize(2);
    open();
  }
  void back_up(bool with_commit) {
    const ObjectId id = builder_.commit({builder_.file("file", std::to_string(++texts_))}).id;
    for (const auto& holding : holdings_) {
      for (const ObjectId& pack : builder_.packs()) send(*holding, Kind::kPack, pack);
      for (const ObjectId& index : builder_.indexes()) send(*holding, Kind::kIndex, index);
      if (with_commit) EXPECT_TRUE(holding->commit(id, object(Kind::kSnapshot, id), "pc1"));
    }
    now_ += kADay / 2;
  }
  void expire() {
    for (const auto& holding : holdings_) EXPECT_TRUE(holding->expire());
  }
  void collect_and_compare() {
    std::vector<std::uint64_t> bytes;
    for (const auto& holding : holdings_) bytes.push_back(holding->collect(hours(0))->bytes);
    RC_ASSERT(bytes[0] == bytes[1]);
    for (const Kind kind : {Kind::kSnapshot, Kind::kIndex, Kind::kPack}) {
      RC_ASSERT(ids(*holdings_[0], kind) == ids(*holdings_[1], kind));
    }
  }

 private:
  void open() {
    database_ = database_at(file_, seed_);
    const auto clock = [this] { return now_; };
    holdings_[0].reset();
    holdings_[1].reset();
    holdings_[0] = *Holding::open(folder_ / "plain", seed_, clock);
    holdings_[1] = *Holding::open(folder_ / "remembering", seed_, clock, {.database = database_});
  }
  base::Bytes object(Kind kind, const ObjectId& id) const { return *builder_.store().get(kind, id, 1U << 30); }
  void send(Holding& holding, Kind kind, const ObjectId& id) const {
    if (holding.stat(kind, id)) return;
    const base::Bytes bytes = object(kind, id);
    const auto upload = *holding.upload(kind, id, bytes.size());
    EXPECT_TRUE(upload->write(bytes));
    EXPECT_TRUE(upload->finish());
    holding.uploaded(kind, id, bytes.size());
  }
  static std::set<ObjectId> ids(const Holding& holding, Kind kind) {
    std::set<ObjectId> all;
    for (const store::ObjectInfo& info : *holding.list(kind)) all.insert(info.id);
    return all;
  }

  archive::test::RepositoryBuilder builder_;
  kura::test::TemporaryFolder folder_;
  const base::Key seed_{base::Bytes(32, 9)};
  const std::string file_ = folder_ / "derived.sqlite";
  std::int64_t now_ = 1'800'000'000'000'000'000;
  int texts_ = 0;
  std::shared_ptr<Database> database_;
  std::vector<std::unique_ptr<Holding>> holdings_;
};

RC_GTEST_PROP(HoldingDerivedModelTest, WhoRemembersCollectsWhatTheOtherDoes, ()) {
  if (*rc::gen::inRange(0, 4) != 0) return;  // each takes a while
  TwoHoldings two;
  const int steps = *rc::gen::inRange(4, 12);
  for (int step = 0; step < steps; ++step) {
    switch (*rc::gen::inRange(0, 6)) {
      case 0:
        two.expire();
        break;
      case 1:
        two.collect_and_compare();
        break;
      case 2:
        two.restart(*rc::gen::inRange(0, 3));
        break;
      case 3:
        two.back_up(/*with_commit=*/false);
        break;
      default:
        two.back_up(/*with_commit=*/true);
        break;
    }
  }
  two.collect_and_compare();
}

}  // namespace
}  // namespace kura::vault
