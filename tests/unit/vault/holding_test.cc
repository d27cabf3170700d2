#include "vault/holding/holding.h"

#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "crypto/hash.h"
#include "support/archive/repository_builder.h"

namespace kura::vault {
namespace {

namespace fs = std::filesystem;
using archive::test::RepositoryBuilder;
using base::ErrorCode;
using store::Kind;
using store::ObjectId;

// A repository in a folder, whose objects a test sends to a vault one by one.
class HoldingTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto made = Holding::create(path_, "office", seed_, [this] { return now_; });
    ASSERT_TRUE(made) << made.error().text();
    holding_ = *std::move(made);
  }
  void reopen() {
    holding_.reset();
    auto opened = Holding::open(path_, seed_, [this] { return now_; });
    ASSERT_TRUE(opened) << opened.error().text();
    holding_ = *std::move(opened);
  }
  base::Bytes object(Kind kind, const ObjectId& id) const { return *builder_.store().get(kind, id, 1U << 30); }

  base::Status send(Kind kind, const ObjectId& id) {
    const base::Bytes bytes = object(kind, id);
    KURA_TRY(holding_->may_send(kind, id, bytes.size()));
    if (kind == Kind::kConfig || kind == Kind::kKey) return holding_->put(kind, id, bytes, "pc1");
    auto upload = KURA_TRY(holding_->upload(kind, id, bytes.size()));
    KURA_TRY(upload->write(bytes));
    KURA_TRY(upload->finish());
    holding_->uploaded(kind, id, bytes.size());
    return {};
  }
  // Config and keys, which come first.
  void introduce() {
    for (const Kind kind : {Kind::kConfig, Kind::kKey}) {
      for (const store::ObjectInfo& info : *builder_.store().list(kind)) ASSERT_TRUE(send(kind, info.id));
    }
  }
  void send_all_packs_and_indexes() {
    for (const ObjectId& id : builder_.packs()) ASSERT_TRUE(send(Kind::kPack, id));
    for (const ObjectId& id : builder_.indexes()) ASSERT_TRUE(send(Kind::kIndex, id));
  }
  ObjectId snapshot(const std::string& text) { return builder_.commit({builder_.file("file", text)}).id; }
  base::Result<Receipt> commit(const ObjectId& id) { return holding_->commit(id, object(Kind::kSnapshot, id), "pc1"); }
  std::vector<ObjectId> ids() const {
    std::vector<ObjectId> ids;
    for (const HeldSnapshot& held : holding_->snapshots()) ids.push_back(held.id);
    return ids;
  }

  RepositoryBuilder builder_;
  kura::test::TemporaryFolder folder_;
  const std::string path_ = folder_ / "office";
  const base::Key seed_{base::Bytes(32, 9)};
  std::int64_t now_ = 1'800'000'000'000'000'000;
  std::unique_ptr<Holding> holding_;
};

TEST_F(HoldingTest, ACommitIsThereWithItsTimeOfReceiptAlsoAfterARestart) {
  introduce();
  const ObjectId id = snapshot("text");
  send_all_packs_and_indexes();
  const auto receipt = commit(id);
  ASSERT_TRUE(receipt) << receipt.error().text();
  EXPECT_EQ(receipt->time, now_);
  for (int restart = 0; restart < 2; ++restart) {
    const auto held = holding_->snapshots();
    ASSERT_EQ(held.size(), 1U);
    EXPECT_EQ(held[0].id, id);
    EXPECT_EQ(held[0].received, receipt->time);
    EXPECT_EQ(held[0].sequence, receipt->sequence);
    EXPECT_EQ(holding_->list(Kind::kSnapshot)->size(), 1U);
    EXPECT_EQ(holding_->list(Kind::kPack)->size(), builder_.packs().size());
    now_ += 1000;
    reopen();
  }
}

TEST_F(HoldingTest, TheSameCommitAgainGivesTheReceiptOfTheFirstTime) {
  introduce();
  const ObjectId id = snapshot("text");
  send_all_packs_and_indexes();
  const base::Bytes first = commit(id)->entry;
  now_ += 1'000'000;
  EXPECT_EQ(commit(id)->entry, first);
  reopen();
  EXPECT_EQ(commit(id)->entry, first);
  EXPECT_EQ(ids().size(), 1U);
}

TEST_F(HoldingTest, ACommitThatLacksAPackOrAnIndexIsRefusedAndNotShown) {
  introduce();
  const ObjectId id = snapshot("text");
  for (const ObjectId& index : builder_.indexes()) ASSERT_TRUE(send(Kind::kIndex, index));
  for (std::size_t i = 0; i < builder_.packs().size(); ++i) {
    const auto refused = commit(id);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kNotFound);
    EXPECT_THAT(refused.error().message(), ::testing::HasSubstr(builder_.packs()[i].hex()));
    ASSERT_TRUE(send(Kind::kPack, builder_.packs()[i]));
  }
  EXPECT_TRUE(ids().empty());
  EXPECT_TRUE(commit(id));
}

TEST_F(HoldingTest, ASnapshotWhoseIndexIsNotHereIsRefused) {
  introduce();
  const ObjectId id = snapshot("text");
  for (const ObjectId& pack : builder_.packs()) ASSERT_TRUE(send(Kind::kPack, pack));
  EXPECT_EQ(commit(id).error().code(), ErrorCode::kNotFound);
}

TEST_F(HoldingTest, AnObjectThatNoEntryNamesIsNoSnapshot) {
  introduce();
  const ObjectId id = snapshot("text");
  send_all_packs_and_indexes();
  // As a crash between the object and the journal leaves it.
  const fs::path lost = fs::path(path_) / "objects/snapshots" / id.hex();
  fs::create_directories(lost.parent_path());
  fs::copy_file(builder_.path_of(Kind::kSnapshot, id), lost);
  reopen();
  EXPECT_TRUE(ids().empty());
  EXPECT_FALSE(holding_->stat(Kind::kSnapshot, id));
  ASSERT_TRUE(commit(id));
  EXPECT_EQ(ids(), std::vector{id});
}

TEST_F(HoldingTest, AConfigThatTheJournalDoesNotNameIsNone) {
  // As a crash between the object and the journal leaves it.
  const ObjectId id = builder_.store().list(Kind::kConfig)->front().id;
  fs::copy_file(builder_.path_of(Kind::kConfig, id), fs::path(path_) / "objects/config" / id.hex());
  reopen();
  EXPECT_TRUE(holding_->list(Kind::kConfig)->empty());
  EXPECT_FALSE(holding_->stat(Kind::kConfig, id));
  introduce();
  EXPECT_EQ(holding_->list(Kind::kConfig)->size(), 1U);
}

TEST_F(HoldingTest, WhatACrashLeftOfMakingARepositoryIsTaken) {
  holding_.reset();
  fs::remove(fs::path(path_) / "journal");
  const auto made = Holding::create(path_, "office", seed_, [this] { return now_; });
  EXPECT_TRUE(made) << made.error().text();
}

TEST_F(HoldingTest, ALostJournalIsNotReplacedByANewOne) {
  introduce();
  holding_.reset();
  fs::remove(fs::path(path_) / "journal");
  const auto made = Holding::create(path_, "office", seed_, [this] { return now_; });
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code(), ErrorCode::kExists);
}

TEST_F(HoldingTest, OtherBytesThanTheNameSaysAreRefused) {
  introduce();
  const ObjectId id = snapshot("text");
  send_all_packs_and_indexes();
  base::Bytes altered = object(Kind::kSnapshot, id);
  altered[50] ^= 1;
  EXPECT_EQ(holding_->commit(id, altered, "pc1").error().code(), ErrorCode::kDamaged);
  // Under a name that fits, too: the machine's signature does not.
  EXPECT_FALSE(holding_->commit(crypto::sha256(altered), altered, "pc1"));
  EXPECT_TRUE(ids().empty());
}

TEST_F(HoldingTest, AnotherRepositorysObjectsAreRefused) {
  introduce();
  RepositoryBuilder stranger;
  const ObjectId foreign = stranger.commit({stranger.file("file", "text")}).id;
  const base::Bytes snapshot = *stranger.store().get(Kind::kSnapshot, foreign, 1U << 20);
  EXPECT_EQ(holding_->commit(foreign, snapshot, "pc1").error().code(), ErrorCode::kDenied);
  for (const store::ObjectInfo& info : *stranger.store().list(Kind::kKey)) {
    const base::Bytes key = *stranger.store().get(Kind::kKey, info.id, 1U << 20);
    EXPECT_EQ(holding_->put(Kind::kKey, info.id, key, "pc1").error().code(), ErrorCode::kDenied);
  }
  const store::ObjectInfo config = stranger.store().list(Kind::kConfig)->front();
  EXPECT_EQ(holding_->may_send(Kind::kConfig, config.id, config.size).error().code(), ErrorCode::kExists);
}

TEST_F(HoldingTest, WhatIsTheVaultsBusinessIsNotTaken) {
  introduce();
  EXPECT_EQ(holding_->may_send(Kind::kCondemned, ObjectId{}, 10).error().code(), ErrorCode::kDenied);
  EXPECT_EQ(holding_->may_send(Kind::kPack, ObjectId{}, 1ULL << 40).error().code(), ErrorCode::kUsage);
}

TEST_F(HoldingTest, BeforeTheConfigNothingIsTaken) {
  EXPECT_EQ(holding_->may_send(Kind::kPack, ObjectId{}, 10).error().code(), ErrorCode::kNotFound);
}

TEST_F(HoldingTest, AMachineWithoutACertificateCommitsNothing) {
  for (const store::ObjectInfo& info : *builder_.store().list(Kind::kConfig)) ASSERT_TRUE(send(Kind::kConfig, info.id));
  const ObjectId id = snapshot("text");
  send_all_packs_and_indexes();
  EXPECT_EQ(commit(id).error().code(), ErrorCode::kDenied);
  introduce();
  EXPECT_TRUE(commit(id));
}

// Whatever is sent in whatever order, with restarts in between: exactly those snapshots are there whose commit was
// answered with a receipt, and each has all that it needs.
RC_GTEST_PROP(HoldingModelTest, ExactlyWhatHasAReceiptIsThere, ()) {
  class World : public HoldingTest {
   public:
    void TestBody() override {}
    void run() {
      SetUp();
      introduce();
      std::vector<ObjectId> made, received;
      const int steps = *rc::gen::inRange(5, 15);
      for (int step = 0; step < steps; ++step) {
        ++now_;
        switch (*rc::gen::inRange(0, 5)) {
          case 0:
            made.push_back(snapshot("text " + std::to_string(step)));
            break;
          case 1:
            if (!builder_.packs().empty()) (void)send(Kind::kPack, *rc::gen::elementOf(builder_.packs()));
            break;
          case 2:
            if (!builder_.indexes().empty()) (void)send(Kind::kIndex, *rc::gen::elementOf(builder_.indexes()));
            break;
          case 3: {
            if (made.empty()) break;
            const ObjectId id = *rc::gen::elementOf(made);
            if (commit(id) && std::ranges::find(received, id) == received.end()) received.push_back(id);
            break;
          }
          default:
            reopen();
        }
        RC_ASSERT(ids() == received);
      }
      for (const ObjectId& id : received) {
        const auto needs = archive::Snapshot::decode(object(Kind::kSnapshot, id), nullptr)->needs;
        for (const auto& needed : needs) RC_ASSERT(holding_->stat(Kind::kIndex, needed.index).has_value());
      }
    }
  };
  World().run();
}

TEST_F(HoldingTest, ManyThreadsSendAndCommitAtOnce) {
  introduce();
  std::vector<ObjectId> snapshots;
  for (int i = 0; i < 8; ++i) snapshots.push_back(snapshot("text " + std::to_string(i)));
  {
    std::vector<std::jthread> threads;
    for (std::size_t thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        for (const ObjectId& id : builder_.packs()) EXPECT_TRUE(send(Kind::kPack, id));
        for (const ObjectId& id : builder_.indexes()) EXPECT_TRUE(send(Kind::kIndex, id));
        for (std::size_t i = thread; i < snapshots.size(); i += 2) EXPECT_TRUE(commit(snapshots[i]));
        EXPECT_TRUE(holding_->list(Kind::kSnapshot));
      });
    }
  }
  EXPECT_EQ(ids().size(), snapshots.size());
  reopen();
  EXPECT_EQ(ids().size(), snapshots.size());
}

}  // namespace
}  // namespace kura::vault
