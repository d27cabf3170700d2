// Copies are whole, are not made twice, and an interrupted one is taken up.
#include "archive/upkeep/copy.h"

#include <map>

#include <gtest/gtest.h>

#include "archive/format/limits.h"
#include "archive/repo/lease.h"
#include "archive/repo/tree.h"
#include "archive/restore/dump.h"
#include "archive/upkeep/forget.h"
#include "support/archive/backup_world.h"
#include "support/store/faulty_store.h"

namespace kura::archive {
namespace {

using base::ErrorCode;
using base::Result;
using store::CrashFileSystem;
using store::Kind;
using store::listed;
using store::ObjectId;
using test::BackupWorld;
using test::check;
using test::expect_no_findings;
using test::store_on;

struct TwoSnapshots : BackupWorld {
  TwoSnapshots() {
    write("a", 1);
    write("folder/b", 2);
    first = backup();
    erase("folder/b");
    write("folder/c", 3);
    second = backup();
  }
  ObjectId first, second;
};

Result<CopySummary> twin(const Repository& from, store::Store& to, const std::vector<ObjectId>& only = {}) {
  base::Progress progress;
  return copy_twin(from, to, only, progress, {});
}

TEST(CopyTwin, MakesAWholeRepositoryWithoutAnyKey) {
  const TwoSnapshots world;
  CrashFileSystem disk;
  const Repository keyless = world.open(world.repository().shared_store(), false);
  const auto summary = twin(keyless, *store_on(disk));
  ASSERT_TRUE(summary.has_value()) << summary.error().text();
  EXPECT_EQ(summary->snapshots_copied, 2U);
  EXPECT_EQ(summary->snapshots_present, 0U);
  const auto checked = expect_no_findings(world.unlocked(store_on(disk)));
  EXPECT_EQ(checked.summary.snapshots, 2U);
  for (const Kind kind : {Kind::kConfig, Kind::kKey, Kind::kPack, Kind::kIndex, Kind::kSnapshot}) {
    EXPECT_EQ(listed(*store_on(disk), kind), listed(world.store(), kind)) << store::folder_of(kind);
  }
  EXPECT_TRUE(listed(*store_on(disk), Kind::kLease).empty());
}

TEST(CopyTwin, StoresNothingTwice) {
  TwoSnapshots world;
  CrashFileSystem disk;
  ASSERT_TRUE(twin(world.repository(), *store_on(disk)).has_value());
  auto again = twin(world.repository(), *store_on(disk));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->objects_copied, 0U);
  EXPECT_EQ(again->snapshots_present, 2U);
  world.write("d", 4);
  world.backup();
  again = twin(world.repository(), *store_on(disk));
  EXPECT_EQ(again->snapshots_copied, 1U);
  EXPECT_EQ(check(world.unlocked(store_on(disk))).findings.size(), 0U);
}

TEST(CopyTwin, OneSnapshotBringsOnlyWhatItNeeds) {
  const TwoSnapshots world;
  CrashFileSystem disk;
  const auto summary = twin(world.repository(), *store_on(disk), {world.first});
  ASSERT_TRUE(summary.has_value());
  EXPECT_EQ(summary->snapshots_copied, 1U);
  EXPECT_LT(listed(*store_on(disk), Kind::kPack).size(), listed(world.store(), Kind::kPack).size());
  EXPECT_EQ(check(world.unlocked(store_on(disk))).findings.size(), 0U);

  const auto unknown = twin(world.repository(), *store_on(disk), {store::sample(1).id});
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().code(), ErrorCode::kNotFound);
}

TEST(CopyTwin, RefusesAnotherRepositoryAndLeavesItAlone) {
  const TwoSnapshots world;
  BackupWorld other;
  const auto files = other.disk().files();
  const auto summary = twin(world.repository(), other.store());
  ASSERT_FALSE(summary.has_value());
  EXPECT_EQ(summary.error().code(), ErrorCode::kConflict);
  EXPECT_EQ(other.disk().files(), files);
}

TEST(CopyTwin, AConfigPlantedBesideTheTwinsStopsNoCopy) {
  const TwoSnapshots world;
  CrashFileSystem disk;
  ASSERT_TRUE(twin(world.repository(), *store_on(disk), {world.first}).has_value());
  const BackupWorld other;
  const base::Bytes planted = other.store().get(Kind::kConfig, other.repository().config_id(), kConfigLimit).value();
  ASSERT_TRUE(store_on(disk)->put(Kind::kConfig, other.repository().config_id(), planted).has_value());
  const auto again = twin(world.repository(), *store_on(disk));
  ASSERT_TRUE(again.has_value()) << again.error().text();
  EXPECT_EQ(again->snapshots_copied, 1U);
}

TEST(CopyTwin, WhereverItIsInterruptedTheTwinIsWholeAndTheNextRunFinishes) {
  const TwoSnapshots world;
  bool failed = true;
  for (std::size_t n = 0; failed; n += 3) {
    CrashFileSystem disk;
    auto to = store_on(disk);
    const std::size_t begin = disk.operations();
    disk.fail_from(begin + n, ENOSPC);
    failed = !twin(world.repository(), *to).has_value();
    const auto after = disk.crash(n);
    const auto config = listed(*store_on(*after), Kind::kConfig);
    if (config.empty()) {
      for (const Kind kind : {Kind::kKey, Kind::kPack, Kind::kIndex, Kind::kSnapshot}) {
        EXPECT_TRUE(listed(*store_on(*after), kind).empty())
            << store::folder_of(kind) << " before the config, at " << n;
      }
    } else {
      const auto checked = check(world.unlocked(store_on(*after)));
      ASSERT_EQ(checked.findings.size(), 0U) << "at " << n << ": " << checked.text();
    }
    const auto again = twin(world.repository(), *store_on(*after));
    ASSERT_TRUE(again.has_value()) << again.error().text();
    EXPECT_EQ(check(world.unlocked(store_on(*after))).summary.snapshots, 2U);
  }
}

TEST(CopyTwin, CopiesWhatIsWholeAndNamesWhatIsNot) {
  TwoSnapshots world;
  // A pack that only the second snapshot needs.
  CrashFileSystem first_only;
  ASSERT_TRUE(twin(world.repository(), *store_on(first_only), {world.first}).has_value());
  const auto of_first = listed(*store_on(first_only), Kind::kPack);
  ObjectId bad;
  for (const ObjectId& id : listed(world.store(), Kind::kPack)) {
    if (std::ranges::find(of_first, id) == of_first.end()) bad = id;
  }
  world.disk().plant(test::path_of(Kind::kPack, bad), base::as_bytes("damage"));

  CrashFileSystem disk;
  const auto summary = twin(world.repository(), *store_on(disk));
  ASSERT_FALSE(summary.has_value());
  EXPECT_EQ(summary.error().code(), ErrorCode::kDamaged);
  EXPECT_NE(summary.error().text().find(world.second.hex()), std::string::npos) << summary.error().text();
  EXPECT_EQ(listed(*store_on(disk), Kind::kSnapshot), std::vector{world.first});
  EXPECT_EQ(check(world.unlocked(store_on(disk))).findings.size(), 0U);
}

TEST(CopyTwin, PutsBackWhatTheTwinHasLost) {
  const TwoSnapshots world;
  CrashFileSystem disk;
  ASSERT_TRUE(twin(world.repository(), *store_on(disk)).has_value());
  const auto packs = listed(*store_on(disk), Kind::kPack);
  ASSERT_TRUE(store_on(disk)->remove(Kind::kPack, packs.at(0)).has_value());
  disk.plant(test::path_of(Kind::kPack, packs.at(1)), base::as_bytes("cut"));
  ASSERT_TRUE(store_on(disk)->remove(Kind::kIndex, listed(*store_on(disk), Kind::kIndex).at(0)).has_value());
  ASSERT_FALSE(check(world.unlocked(store_on(disk))).findings.empty());
  ASSERT_TRUE(twin(world.repository(), *store_on(disk)).has_value());
  EXPECT_EQ(check(world.unlocked(store_on(disk))).findings.size(), 0U);
}

TEST(CopyTwin, RefusesWhatTheTwinIsAboutToDrop) {
  const TwoSnapshots world;
  CrashFileSystem disk;
  ASSERT_TRUE(twin(world.repository(), *store_on(disk)).has_value());
  const Repository there = world.open(store_on(disk), false);
  {
    const auto lease = Lease::take(there.store(), LeasePurpose::kBackup).value();
    ASSERT_TRUE(forget_snapshots(there, {world.second}).has_value());
    ASSERT_GT(test::gc(there)->packs_waiting, 0U);
  }
  const auto refused = twin(world.repository(), there.store());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::kConflict) << refused.error().text();
  disk.advance_clock(test::kHourNs);
  ASSERT_TRUE(test::gc(there).has_value());
  ASSERT_TRUE(twin(world.repository(), there.store()).has_value());
  EXPECT_EQ(check(world.unlocked(store_on(disk))).findings.size(), 0U);
}

TEST(CopyTwin, GoesOnBesideAListOfWhatGoesThatCannotBeRead) {
  const TwoSnapshots world;
  CrashFileSystem disk;
  ASSERT_TRUE(twin(world.repository(), *store_on(disk), {world.first}).has_value());
  disk.advance_clock(test::kHourNs);
  const Repository there = world.open(store_on(disk), false);
  ASSERT_TRUE(there.put(Kind::kCondemned, base::as_bytes("garbage")).has_value());
  const auto summary = twin(world.repository(), there.store());
  ASSERT_TRUE(summary.has_value()) << summary.error().text();
  EXPECT_EQ(summary->snapshots_copied, 1U);
  EXPECT_EQ(listed(there.store(), Kind::kSnapshot).size(), 2U);
}

TEST(CopyTwin, StopsWhenAskedAndGoesOnLater) {
  const TwoSnapshots world;
  CrashFileSystem disk;
  std::stop_source stop;
  stop.request_stop();
  base::Progress progress;
  const auto stopped = copy_twin(world.repository(), *store_on(disk), {}, progress, stop.get_token());
  ASSERT_FALSE(stopped.has_value());
  EXPECT_EQ(stopped.error().code(), ErrorCode::kInterrupted);
  EXPECT_TRUE(twin(world.repository(), *store_on(disk)).has_value());
}

// All files of a snapshot and what is in them.
std::map<std::string, std::string> contents(const Repository& repository, const StoredSnapshot& stored) {
  std::map<std::string, std::string> all;
  std::vector<DamagedObject> damaged;
  const ChunkIndex index = load_index(repository, stored, damaged).value();
  PackReader reader(repository, index);
  Entry top;
  top.type = EntryType::kFolder;
  top.content = stored.snapshot.label->root;
  const auto visit = [&](const std::string& path, const Entry& entry) -> Result<Visit> {
    std::string& bytes = all[path];
    if (entry.type != EntryType::kFile) return Visit::kContinue;
    KURA_TRY(dump_file(reader, entry, [&](base::ByteSpan part) -> base::Status {
      bytes += base::as_text(part);
      return {};
    }));
    return Visit::kContinue;
  };
  const auto status = walk_tree(reader, top, "/", visit, [](const std::string& path, const base::Error& error) {
    ADD_FAILURE() << path << ": " << error.text();
  });
  EXPECT_TRUE(status.has_value());
  return all;
}

TEST(CopyResealed, BringsTheSameFilesIntoARepositoryWithOtherKeys) {
  TwoSnapshots world;
  world.write("large", 7, 6'000'000);
  world.backup();
  BackupWorld other;
  base::Progress progress;
  const auto summary = copy_resealed(world.repository(), other.repository(), {}, progress, {});
  ASSERT_TRUE(summary.has_value()) << summary.error().text();
  EXPECT_EQ(summary->snapshots_copied, 3U);
  EXPECT_GT(summary->bytes_copied, 6'000'000U);
  expect_no_findings(other.repository());

  const SnapshotList from = world.repository().snapshots().value(), to = other.repository().snapshots().value();
  ASSERT_EQ(to.snapshots.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(contents(other.repository(), to.snapshots[i]), contents(world.repository(), from.snapshots[i]));
    EXPECT_EQ(to.snapshots[i].snapshot.started, from.snapshots[i].snapshot.started);
    EXPECT_EQ(to.snapshots[i].snapshot.label->tags, std::vector{"copy-of:" + from.snapshots[i].id.hex()});
    EXPECT_EQ(to.snapshots[i].snapshot.label->counts, from.snapshots[i].snapshot.label->counts);
    EXPECT_EQ(to.snapshots[i].snapshot.number, i + 1);
  }
  // Neither repository's names tell of the other's.
  for (const ObjectId& id : listed(other.store(), Kind::kPack)) EXPECT_FALSE(world.store().stat(Kind::kPack, id));
}

TEST(CopyResealed, CopiesNothingTwice) {
  TwoSnapshots world;
  BackupWorld other;
  base::Progress progress;
  ASSERT_TRUE(copy_resealed(world.repository(), other.repository(), {world.first}, progress, {}).has_value());
  const auto packs = listed(other.store(), Kind::kPack).size();
  const auto again = copy_resealed(world.repository(), other.repository(), {}, progress, {});
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->snapshots_present, 1U);
  EXPECT_EQ(again->snapshots_copied, 1U);
  // Of the second snapshot only its new file (200 kB) and listings.
  EXPECT_LT(again->bytes_copied, 260'000U);
  EXPECT_GT(listed(other.store(), Kind::kPack).size(), packs);
}

TEST(CopyResealed, NeedsTheRecoveryKeyOfTheOneAndAMachineOfTheOther) {
  const TwoSnapshots world;
  const BackupWorld other;
  base::Progress progress;
  const auto locked =
      copy_resealed(world.open(world.repository().shared_store()), other.repository(), {}, progress, {});
  ASSERT_FALSE(locked.has_value());
  EXPECT_EQ(locked.error().code(), ErrorCode::kWrongKey);
  const auto keyless =
      copy_resealed(world.repository(), other.open(other.repository().shared_store(), false), {}, progress, {});
  ASSERT_FALSE(keyless.has_value());
}

}  // namespace
}  // namespace kura::archive
