// check --repair as a job: every kind of object, by parity, in place.
#include "archive/upkeep/check_repair.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <map>
#include <memory>
#include <optional>

#include <gtest/gtest.h>

#include "archive/upkeep/copy.h"
#include "archive/upkeep/forget.h"
#include "support/archive/backup_world.h"
#include "support/store/faulty_store.h"

namespace kura::archive {
namespace {

using base::Bytes;
using base::ErrorCode;
using store::CrashFileSystem;
using store::Kind;
using store::listed;
using store::ObjectId;
using test::path_of;

constexpr std::array kRepairable = {Kind::kConfig, Kind::kKey,      Kind::kPack,
                                    Kind::kIndex,  Kind::kSnapshot, Kind::kParity};

struct Repaired {
  std::optional<base::Error> error;
  CheckRepairSummary summary;
  std::vector<CheckFinding> findings;
  std::vector<RepairOutcome> outcomes;

  bool is_whole() const { return !error && summary.check && summary.check->findings == 0; }
  std::string text() const {
    std::string all = error ? error->text() + "\n" : "";
    for (const CheckFinding& finding : findings) all += "found: " + finding.error.text() + "\n";
    for (const RepairOutcome& outcome : outcomes) {
      all += std::string(store::name_of(outcome.object.kind)) + ": " +
             (outcome.problem ? outcome.problem->text() : "repaired") + "\n";
    }
    return all;
  }
};

// Without any key.
Repaired repair(const std::shared_ptr<store::Store>& store, bool dry_run = false) {
  Repaired result;
  base::Progress progress;
  const CheckRepairEvents events{.on_finding = [&](const CheckFinding& f) { result.findings.push_back(f); },
                                 .on_repair = [&](const RepairOutcome& o) { result.outcomes.push_back(o); }};
  const auto open = [&] { return Repository::open(store, ""); };
  auto summary = check_and_repair(*store, open, {.check = {.threads = 2}, .dry_run = dry_run}, progress, events, {});
  if (summary) {
    result.summary = *std::move(summary);
  } else {
    result.error = std::move(summary).error();
  }
  return result;
}

using Contents = std::map<std::pair<Kind, ObjectId>, Bytes>;

Contents contents(store::Store& store) {
  Contents all;
  for (const Kind kind : kRepairable) {
    for (const store::ObjectInfo& info : store.list(kind).value()) {
      Bytes bytes(info.size);
      EXPECT_TRUE(store.read_at(kind, info.id, 0, bytes).has_value());
      all.emplace(std::pair(kind, info.id), std::move(bytes));
    }
  }
  return all;
}

class CheckRepair : public testing::Test {
 protected:
  CheckRepair() {
    for (std::uint64_t day = 1; day <= 3; ++day) {
      world_.write("file-" + std::to_string(day), day);
      world_.backup();
    }
    EXPECT_TRUE(test::gc(world_.repository()).has_value());  // all in one group
    whole_ = contents(world_.store());
  }

  const std::shared_ptr<store::Store>& store() const { return world_.repository().shared_store(); }
  std::vector<ObjectId> ids(Kind kind) const { return listed(world_.store(), kind); }
  void flip(Kind kind, const ObjectId& id, std::size_t at = 100) {
    Bytes bytes = whole_.at({kind, id});
    bytes.at(at) ^= 1;
    world_.disk().plant(path_of(kind, id), bytes);
  }
  void truncate(Kind kind, const ObjectId& id, std::size_t size) {
    Bytes bytes = whole_.at({kind, id});
    bytes.resize(size);
    world_.disk().plant(path_of(kind, id), bytes);
  }
  void remove(Kind kind, const ObjectId& id) { ASSERT_TRUE(world_.store().remove(kind, id).has_value()); }
  void expect_as_it_was(const Repaired& repaired) {
    EXPECT_TRUE(repaired.is_whole()) << repaired.text();
    EXPECT_EQ(contents(world_.store()), whole_) << repaired.text();
    test::expect_no_findings(world_.unlocked(store()));
  }

  test::BackupWorld world_{std::nullopt, ParityPolicy{.columns = 8, .shards = 2}};
  Contents whole_;
};

TEST_F(CheckRepair, WhatIsWholeIsLeftAlone) {
  const Repaired repaired = repair(store());
  expect_as_it_was(repaired);
  EXPECT_TRUE(repaired.outcomes.empty()) << repaired.text();
}

TEST_F(CheckRepair, OneOfEachKindDamagedAtOnceComesBack) {
  for (const Kind kind : kRepairable) flip(kind, ids(kind).front());
  truncate(Kind::kPack, ids(Kind::kPack).back(), 70'000);
  truncate(Kind::kKey, ids(Kind::kKey).back(), 0);
  const Repaired repaired = repair(store());
  expect_as_it_was(repaired);
  EXPECT_EQ(repaired.summary.objects_left, 0U);
  EXPECT_GE(repaired.summary.objects_repaired, 7U);
}

TEST_F(CheckRepair, AConfigThatIsGoneComesBackWithoutARepositoryToOpen) {
  remove(Kind::kConfig, ids(Kind::kConfig).front());
  const Repaired dry = repair(store(), /*dry_run=*/true);
  EXPECT_FALSE(dry.error) << dry.text();
  EXPECT_FALSE(dry.summary.check);
  EXPECT_TRUE(ids(Kind::kConfig).empty());
  expect_as_it_was(repair(store()));
}

TEST_F(CheckRepair, AnIndexThatIsGoneTellsOfThePacksThatAreGoneToo) {
  for (const ObjectId& id : ids(Kind::kIndex)) remove(Kind::kIndex, id);
  remove(Kind::kPack, ids(Kind::kPack)[0]);
  remove(Kind::kPack, ids(Kind::kPack)[1]);
  expect_as_it_was(repair(store()));
}

TEST_F(CheckRepair, ShardsThatAreGoneAreMadeAgain) {
  remove(Kind::kParity, ids(Kind::kParity).front());
  expect_as_it_was(repair(store()));
  for (const ObjectId& id : ids(Kind::kParity)) remove(Kind::kParity, id);
  const Repaired repaired = repair(store());
  EXPECT_TRUE(repaired.is_whole()) << repaired.text();
  EXPECT_EQ(repaired.summary.check->packs_unprotected, 0U);
  EXPECT_EQ(repaired.summary.check->packs_weak, 0U);
}

TEST_F(CheckRepair, MoreThanTheShardsCanBearIsLeftAsItIsAndTold) {
  const std::vector<ObjectId> packs = ids(Kind::kPack);
  ASSERT_GE(packs.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) flip(Kind::kPack, packs[i]);
  const Contents before = contents(world_.store());
  const Repaired repaired = repair(store());
  EXPECT_FALSE(repaired.is_whole());
  EXPECT_EQ(repaired.summary.objects_left, 3U) << repaired.text();
  EXPECT_EQ(repaired.summary.check->findings, 3U);
  EXPECT_EQ(contents(world_.store()), before);
  EXPECT_NE(repaired.text().find("has lost 3 blocks and has 2 of 2 shards left"), std::string::npos) << repaired.text();
}

TEST_F(CheckRepair, ADryRunSaysTheSameAndChangesNothing) {
  flip(Kind::kSnapshot, ids(Kind::kSnapshot)[0]);
  flip(Kind::kParity, ids(Kind::kParity)[0], 2000);
  flip(Kind::kPack, ids(Kind::kPack)[0]);
  const Contents before = contents(world_.store());
  const Repaired dry = repair(store(), /*dry_run=*/true);
  EXPECT_FALSE(dry.is_whole());
  EXPECT_EQ(contents(world_.store()), before);
  EXPECT_GE(dry.summary.objects_repaired, 2U) << dry.text();
  expect_as_it_was(repair(store()));
}

TEST_F(CheckRepair, WithoutParityNothingIsTouchedAndWhyIsSaid) {
  test::BackupWorld plain;
  plain.write("a", 1);
  plain.backup();
  const ObjectId pack = listed(plain.store(), Kind::kPack).front();
  plain.disk().plant(path_of(Kind::kPack, pack), Bytes(1000));
  const Repaired repaired = repair(plain.repository().shared_store());
  EXPECT_FALSE(repaired.is_whole());
  EXPECT_FALSE(repaired.summary.has_parity);
  EXPECT_NE(repaired.text().find("no parity covers it"), std::string::npos) << repaired.text();
}

TEST_F(CheckRepair, WhatADiskDoesNotGiveBackIsWrittenAnew) {
  const std::string bad = path_of(Kind::kPack, ids(Kind::kPack).front());
  bool replaced = false;
  world_.disk().set_fault([&](std::size_t, CrashFileSystem::Operation operation, std::string_view path) {
    replaced = replaced || (operation == CrashFileSystem::Operation::kRename && path == bad);
    return !replaced && operation == CrashFileSystem::Operation::kRead && path == bad ? EIO : 0;
  });
  const Repaired repaired = repair(store());
  ASSERT_EQ(repaired.findings.size(), 1U) << repaired.text();
  EXPECT_EQ(repaired.findings.front().error.code(), ErrorCode::kIo);
  expect_as_it_was(repaired);
}

TEST_F(CheckRepair, AStoreThatDoesNotAnswerIsNoDamage) {
  store::FaultyStore faulty(*store());
  std::atomic<bool> is_away = false;
  faulty.fail([&](store::FaultyStore::Call call, Kind kind, const ObjectId&) {
    if (call == store::FaultyStore::Call::kReadAt && kind == Kind::kPack) is_away = true;
    return is_away.load();
  });
  const std::shared_ptr<store::Store> away(std::shared_ptr<void>(), &faulty);
  const Repaired repaired = repair(away);
  ASSERT_TRUE(repaired.error);
  EXPECT_EQ(repaired.error->code(), ErrorCode::kIo);
  EXPECT_TRUE(repaired.findings.empty() && repaired.outcomes.empty()) << repaired.text();
}

TEST_F(CheckRepair, PowerLossAtAnyMomentLeavesEachObjectAsItWasOrWholeAndTheNextRunGoesOn) {
  for (const Kind kind : kRepairable) flip(kind, ids(kind).front());
  const Contents damaged = contents(world_.store());
  ASSERT_TRUE(world_.store().sync().has_value());
  for (std::size_t step = 0;; ++step) {
    const std::unique_ptr<CrashFileSystem> disk = world_.disk().crash(step);
    const auto failing = test::store_on(*disk);
    std::size_t writes = 0;
    disk->set_fault([&](std::size_t, CrashFileSystem::Operation operation, std::string_view) {
      using Operation = CrashFileSystem::Operation;
      const bool changes =
          operation != Operation::kStat && operation != Operation::kList && operation != Operation::kRead;
      writes += changes ? 1 : 0;
      return writes > 5 * step ? EIO : 0;
    });
    const Repaired first = repair(failing);
    const auto after = disk->crash(step + 1);
    const auto store = test::store_on(*after);
    for (const auto& [name, bytes] : contents(*store)) {
      const auto before = damaged.find(name);
      EXPECT_TRUE(bytes == whole_.at(name) || (before != damaged.end() && bytes == before->second)) << step;
    }
    const Repaired second = repair(store);
    ASSERT_TRUE(second.is_whole()) << step << '\n' << second.text();
    EXPECT_EQ(contents(*store), whole_) << step;
    if (first.is_whole()) break;
  }
}

TEST_F(CheckRepair, ASnapshotThatIsForgottenWhileItIsRepairedDoesNotComeBack) {
  const ObjectId snapshot = ids(Kind::kSnapshot).front();
  flip(Kind::kSnapshot, snapshot);
  const auto parity = read_parity(world_.store(), {}).value();
  remove(Kind::kSnapshot, snapshot);
  const std::vector<ObjectName> names = {{Kind::kSnapshot, snapshot}};
  std::vector<RepairOutcome> told;
  const auto left = repair_objects(world_.store(), parity, names, {}, [&](const auto& o) { told.push_back(o); }, {});
  EXPECT_TRUE(left.value().empty() && told.empty());
  EXPECT_EQ(ids(Kind::kSnapshot).size(), 2U);
}

// ---- Upkeep beside damage ----

TEST_F(CheckRepair, ACollectionLeavesShardsAloneThatItCannotReadNowOrThatAreNewer) {
  const std::vector<ObjectId> shards = ids(Kind::kParity);
  const std::string bad = path_of(Kind::kParity, shards.front());
  world_.disk().set_fault([&](std::size_t, CrashFileSystem::Operation operation, std::string_view path) {
    return operation == CrashFileSystem::Operation::kRead && path == bad ? EIO : 0;
  });
  ASSERT_TRUE(test::gc(world_.repository()).has_value());
  world_.disk().set_fault({});
  EXPECT_TRUE(world_.store().stat(Kind::kParity, shards.front()).has_value());

  Bytes newer = whole_.at({Kind::kParity, shards.back()});
  newer[8] = 9;
  const ObjectId id = crypto::sha256(newer);
  ASSERT_TRUE(world_.store().put(Kind::kParity, id, newer).has_value());
  ASSERT_TRUE(test::gc(world_.repository()).has_value());
  EXPECT_TRUE(world_.store().stat(Kind::kParity, id).has_value());
}

TEST_F(CheckRepair, ADryRunOfACollectionCountsWhatItWouldDoToParity) {
  ASSERT_TRUE(forget_snapshots(world_.repository(), {ids(Kind::kSnapshot).front()}).has_value());
  world_.erase("file-1");
  world_.backup();
  const Contents before = contents(world_.store());
  const auto dry = test::gc(world_.repository(), {.dry_run = true});
  ASSERT_TRUE(dry.has_value()) << dry.error().text();
  EXPECT_EQ(contents(world_.store()), before);
  EXPECT_GT(dry->parity.shards_written, 0U);
  EXPECT_GT(dry->parity.shards_removed, 0U);
}

TEST_F(CheckRepair, ADamagedShardHereCostsATwinNothingAndIsTold) {
  for (const ObjectId& shard : ids(Kind::kParity))
    flip(Kind::kParity, shard, whole_.at({Kind::kParity, shard}).size() - 1);
  CrashFileSystem disk;
  const auto twin = test::store_on(disk);
  base::Progress progress;
  const auto copied = copy_twin(world_.repository(), *twin, {}, progress, {});
  ASSERT_TRUE(copied.has_value()) << copied.error().text();
  ASSERT_TRUE(copied->parity_problem.has_value());
  EXPECT_EQ(copied->parity_problem->code(), ErrorCode::kDamaged);
  const auto checked = test::expect_no_findings(Repository::open(twin, "").value());
  EXPECT_EQ(checked.summary.packs_unprotected + checked.summary.packs_weak, 0U);
}

}  // namespace
}  // namespace kura::archive
