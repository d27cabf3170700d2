// Two vaults in one process, one of which follows the other: the same threads and parsers as in two.
#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/time.h"
#include "net/server.h"
#include "support/archive/repository_builder.h"
#include "support/temporary_folder.h"
#include "vault/pull/puller.h"
#include "vault/server/api.h"
#include "vault/server/site.h"

namespace kura::vault {
namespace {

using archive::test::RepositoryBuilder;
using store::Kind;
using store::ObjectId;

class PullTest : public ::testing::Test {
 protected:
  void SetUp() override {
    a_ = *Site::create(folder_ / "a", "a", {"127.0.0.1"});
    b_ = *Site::create(folder_ / "b", "b", {"127.0.0.1"});
    server_ = net::Server::create({});
    api_ = std::make_unique<Api>(*a_, *server_);
    const auto port = server_->listen({.address = "127.0.0.1",
                                       .port = 0,
                                       .certificate_chain = a_->server_chain(),
                                       .key = a_->server_key(),
                                       .clients = a_->authority().certificate()},
                                      *api_);
    ASSERT_TRUE(port) << port.error().text();
    address_ = "https://127.0.0.1:" + std::to_string(*port);
    runner_ = std::jthread([this](const std::stop_token& stop) { server_->run(stop); });
    make_puller();
    const auto token = a_->invite({.machine = "b", .role = Role::kFollower}, 3600 * base::kSecond);
    ASSERT_TRUE(token) << token.error().text();
    const auto followed = puller_->follow(address_, *token, "", std::nullopt, {});
    ASSERT_TRUE(followed) << followed.error().text();
    EXPECT_EQ(followed->name, "a");
    EXPECT_EQ(followed->key, a_->journal().vault());
  }
  void make_puller() {
    puller_ =
        std::make_unique<Puller>(b_->followings(),
                                 Home{.hold = [this](const std::string& name) { return b_->hold(name); },
                                      .holdings = [this] { return b_->holdings(); },
                                      .folder_of = [this](const std::string& name) { return b_->folder_of(name); },
                                      .identities = b_->followed_folder(),
                                      .now = base::now_ns,
                                      .problem = [](const std::string&, const base::Error&) {}},
                                 PullOptions{.pause = std::chrono::seconds(1), .patience = std::chrono::seconds(10)});
  }
  base::Bytes object(Kind kind, const ObjectId& id) const { return *builder_.store().get(kind, id, 1U << 30); }
  // Into A, as a machine would store it.
  void send(Holding& holding, Kind kind, const ObjectId& id) {
    const base::Bytes bytes = object(kind, id);
    const auto upload = *holding.upload(kind, id, bytes.size());
    ASSERT_TRUE(upload->write(bytes));
    ASSERT_TRUE(upload->finish());
    holding.uploaded(kind, id, bytes.size());
  }
  ObjectId back_up(const std::string& text) {
    Holding& holding = **a_->hold("office");
    for (const Kind kind : {Kind::kConfig, Kind::kKey}) {
      for (const store::ObjectInfo& info : *builder_.store().list(kind)) {
        if (!holding.stat(kind, info.id)) EXPECT_TRUE(holding.put(kind, info.id, object(kind, info.id), "pc"));
      }
    }
    const ObjectId id = builder_.commit({builder_.file("file", text)}).id;
    for (const ObjectId& pack : builder_.packs()) send(holding, Kind::kPack, pack);
    for (const ObjectId& index : builder_.indexes()) send(holding, Kind::kIndex, index);
    EXPECT_TRUE(holding.commit(id, object(Kind::kSnapshot, id), "pc"));
    return id;
  }
  std::vector<ObjectId> at_b() const {
    std::vector<ObjectId> ids;
    const auto holding = b_->holding("office");
    if (!holding) return ids;
    for (const HeldSnapshot& held : (*holding)->snapshots()) ids.push_back(held.id);
    return ids;
  }
  void damage(Site& site, Kind kind, const ObjectId& id);
  PullCounts pull() {
    const auto counts = puller_->round({});
    EXPECT_TRUE(counts) << counts.error().text();
    return counts.value_or(PullCounts());
  }

  kura::test::TemporaryFolder folder_;
  RepositoryBuilder builder_;
  std::unique_ptr<Site> a_, b_;
  std::unique_ptr<net::Server> server_;
  std::unique_ptr<Api> api_;
  std::string address_;
  std::jthread runner_;
  std::unique_ptr<Puller> puller_;
};

TEST_F(PullTest, WhatIsThereComesAndItsCopiesAreKnownThere) {
  const ObjectId first = back_up("first"), second = back_up("second");
  EXPECT_EQ(pull().commits, 2U);
  EXPECT_EQ(at_b(), (std::vector{first, second}));
  EXPECT_EQ(*(*a_->holding("office"))->copies_of(first), std::vector<std::string>{"b"});
  EXPECT_EQ((*a_->holding("office"))->copied().size(), 2U);
  EXPECT_EQ(pull().objects, 0U);
}

TEST_F(PullTest, GoesOnAfterARestart) {
  const ObjectId first = back_up("first");
  pull();
  puller_.reset();
  b_.reset();
  b_ = *Site::open(folder_ / "b");
  make_puller();
  const ObjectId second = back_up("second");
  EXPECT_EQ(pull().commits, 1U);
  EXPECT_EQ(at_b(), (std::vector{first, second}));
}

TEST_F(PullTest, FollowsWhileItRunsAndEndsWhenItIsTold) {
  puller_->start();
  const ObjectId first = back_up("first");
  for (int i = 0; i < 1000 && at_b().empty(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_EQ(at_b(), std::vector{first});
  const auto follows = [&] {
    const auto status = puller_->status();
    return !status.empty() && !status[0].repositories.empty() && status[0].repositories[0].state == "following";
  };
  for (int i = 0; i < 1000 && !follows(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_TRUE(follows());
  puller_.reset();
}

TEST_F(PullTest, APackThatIsDamagedThereIsAnAlarmHereOnce) {
  back_up("first");
  const std::size_t packs = builder_.packs().size();
  back_up(std::string(5000, 'x'));
  const std::string pack = builder_.packs()[packs - 1].hex();
  const std::string path = folder_ / ("a/repositories/office/objects/packs/" + pack.substr(0, 2) + "/" + pack);
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).put('x');
  const PullCounts counts = pull();
  Holding& holding = **b_->holding("office");
  EXPECT_GT(counts.alarms, 0U);
  EXPECT_TRUE(holding.is_frozen());
  EXPECT_EQ(counts.commits + counts.behind, 2U);
  const std::uint64_t told = holding.journal().head().sequence;
  pull();
  EXPECT_EQ(holding.journal().head().sequence, told);  // once
}

// Flips a bit of it, which scrubbing there finds.
void PullTest::damage(Site& site, Kind kind, const ObjectId& id) {
  Holding& holding = **site.holding("office");
  const std::string folder = holding.folder() + "/objects/" + std::string(folder_of(kind)) + "/";
  const std::string sharded = folder + id.hex().substr(0, 2) + "/" + id.hex();
  const std::string path = std::filesystem::exists(sharded) ? sharded : folder + id.hex();
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const int byte = file.get();
  file.seekp(0);
  file.put(static_cast<char>(byte ^ 1));
  file.close();
  ASSERT_TRUE(holding.found_damaged(kind, id, "its bytes do not match its name"));
}

TEST_F(PullTest, DamageThereIsPutRightFromHereAndTheOtherWayRound) {
  const ObjectId snapshot = back_up("first");
  pull();
  Holding &a = **a_->holding("office"), &b = **b_->holding("office");
  damage(*a_, Kind::kPack, builder_.packs()[0]);
  damage(*a_, Kind::kSnapshot, snapshot);
  damage(*b_, Kind::kIndex, builder_.indexes()[0]);
  const PullCounts counts = pull();
  EXPECT_EQ(counts.repaired_there, 2U);
  EXPECT_EQ(counts.repaired_here, 1U);
  EXPECT_TRUE(a.damage().empty());
  EXPECT_TRUE(b.damage().empty());
  EXPECT_TRUE(a.read(Kind::kPack, builder_.packs()[0]));
  EXPECT_TRUE(a.read(Kind::kSnapshot, snapshot));
  EXPECT_TRUE(b.read(Kind::kIndex, builder_.indexes()[0]));
  EXPECT_EQ(a.repaired(), 2U);
  EXPECT_EQ(b.repaired(), 1U);
  EXPECT_EQ(pull().repaired_there, 0U);
  EXPECT_FALSE(b.is_frozen());
}

TEST_F(PullTest, WhatIsDamagedInBothStaysToldAndIsNotTriedInALoop) {
  back_up("first");
  pull();
  Holding &a = **a_->holding("office"), &b = **b_->holding("office");
  const ObjectId pack = builder_.packs()[0];
  damage(*a_, Kind::kPack, pack);
  damage(*b_, Kind::kPack, pack);
  const PullCounts counts = pull();
  EXPECT_EQ(counts.repaired_here + counts.repaired_there + counts.alarms, 0U);
  const std::uint64_t at_a = a.journal().head().sequence, at_b = b.journal().head().sequence;
  pull();
  EXPECT_EQ(a.journal().head().sequence, at_a);
  EXPECT_EQ(b.journal().head().sequence, at_b);
  EXPECT_EQ(a.damage().size(), 1U);
  EXPECT_EQ(b.damage().size(), 1U);
}

TEST_F(PullTest, WhatIsFoundWrongHereBeforeItIsSentIsDamageHere) {
  back_up("first");
  pull();
  const ObjectId pack = builder_.packs()[0];
  damage(*b_, Kind::kPack, pack);
  Holding& b = **b_->holding("office");
  ASSERT_TRUE(b.found_whole(Kind::kPack, pack));  // nobody knows of it
  damage(*a_, Kind::kPack, pack);
  EXPECT_EQ(pull().repaired_there, 0U);
  EXPECT_TRUE(b.is_damaged(Kind::kPack, pack));
  EXPECT_TRUE((*a_->holding("office"))->is_damaged(Kind::kPack, pack));
}

TEST_F(PullTest, AVaultThatSignsWithAnotherKeyIsNotTakenForTheSame) {
  const auto token = a_->invite({.machine = "b", .role = Role::kFollower}, 3600 * base::kSecond);
  crypto::PublicKey other = a_->journal().vault();
  other[0] ^= 1;
  EXPECT_EQ(puller_->follow(address_, *token, "", other, {}).error().code(), base::ErrorCode::kDenied);
  EXPECT_EQ(b_->followings().all().size(), 1U);
  EXPECT_EQ(b_->followings().add({.name = "a", .address = {}, .key = other}, 1).error().code(),
            base::ErrorCode::kConflict);
}

TEST_F(PullTest, OneThatIsNotFollowedAnyMoreIsNotPulled) {
  ASSERT_TRUE(puller_->unfollow("a", "closed"));
  back_up("first");
  EXPECT_EQ(pull().commits, 0U);
  EXPECT_FALSE(puller_->unfollow("a", "again"));
}

TEST(CopyClaimTest, IsSignedByTheVaultThatMadeItOrNothing) {
  const base::Key seed(base::Bytes(32, 7)), other(base::Bytes(32, 8));
  Entry begin{.sequence = 1,
              .time = 1,
              .before = {},
              .event = {.type = EventType::kBegin, .who = "office", .key = crypto::ed25519_public(seed)}};
  Entry commit{.sequence = 2,
               .time = 1,
               .before = {},
               .event = {.type = EventType::kCommit, .kind = Kind::kSnapshot, .objects = {begin.before}}};
  const auto claim = [](std::initializer_list<base::Bytes> entries) {
    base::Bytes all;
    for (const base::Bytes& entry : entries) all.insert(all.end(), entry.begin(), entry.end());
    return read_copy_claim(all);
  };
  const auto good = claim({begin.encode(seed), commit.encode(seed), commit.encode(seed)});
  ASSERT_TRUE(good);
  EXPECT_EQ(good->vault, crypto::ed25519_public(seed));
  EXPECT_EQ(good->snapshots.size(), 2U);
  EXPECT_FALSE(claim({}));
  EXPECT_FALSE(claim({commit.encode(seed)}));
  EXPECT_FALSE(claim({begin.encode(other)}));
  EXPECT_FALSE(claim({begin.encode(seed), commit.encode(other)}));
  EXPECT_FALSE(claim({begin.encode(seed), begin.encode(seed)}));
  EXPECT_FALSE(claim({begin.encode(seed), commit.encode(seed), base::Bytes(10)}));
}

TEST(CopyLedgerTest, KnowsWhoHasWhatUntilTheSnapshotGoes) {
  CopyLedger ledger;
  const ObjectId id = ObjectId::from_bytes(base::Bytes(32, 1));
  const Event copy{.type = EventType::kCopy, .who = "c", .objects = {id}, .key = {1}};
  ledger.take(copy);
  ledger.take(copy);
  ledger.take({.type = EventType::kCopy, .who = "b", .objects = {id}, .key = {2}});
  EXPECT_EQ(ledger.of(id), (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(ledger.key_of("c")->at(0), 1);
  EXPECT_FALSE(ledger.key_of("d"));
  ledger.forget(id);
  EXPECT_TRUE(ledger.of(id).empty());
}

}  // namespace
}  // namespace kura::vault
