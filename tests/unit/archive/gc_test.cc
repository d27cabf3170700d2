// Garbage collection alone, and against everything that may run beside it.
#include "archive/upkeep/gc.h"

#include <deque>
#include <thread>

#include <gtest/gtest.h>

#include "archive/format/limits.h"
#include "archive/repo/lease.h"
#include "archive/upkeep/copy.h"
#include "archive/upkeep/forget.h"
#include "archive/upkeep/stats.h"
#include "support/archive/backup_world.h"
#include "support/store/faulty_store.h"
#include "support/store/stepping_store.h"

namespace kura::archive {
namespace {

using base::ErrorCode;
using store::FaultyStore;
using store::Kind;
using store::listed;
using store::ObjectId;
using test::BackupWorld;
using test::check;
using test::expect_no_findings;
using test::gc;

std::shared_ptr<store::Store> alias(store::Store& store) { return {std::shared_ptr<void>(), &store}; }

// Stores packs and fails before its index: orphans.
void interrupted_backup(BackupWorld& world) {
  FaultyStore faulty(world.store());
  faulty.fail([](FaultyStore::Call call, Kind kind, const ObjectId&) {
    return call == FaultyStore::Call::kPut && kind == Kind::kIndex;
  });
  EXPECT_FALSE(world.backup(world.open(alias(faulty))).has_value());
}

TEST(Gc, FreesWhatOnlyForgottenSnapshotsNeededWithoutAnyKey) {
  BackupWorld world;
  world.write("a", 1);
  world.write("b", 2);
  const ObjectId first = world.backup();
  world.erase("b");
  world.write("c", 3);
  world.backup();
  const Repository keyless = world.open(world.repository().shared_store(), false);
  ASSERT_TRUE(forget_snapshots(keyless, {first}).has_value());
  const auto before = collect_stats(keyless).value();
  ASSERT_GT(before.packs_unused, 0U);

  const GcSummary dry = gc(keyless, {.dry_run = true}).value();
  EXPECT_EQ(collect_stats(keyless)->packs, before.packs);
  const GcSummary summary = gc(keyless).value();
  EXPECT_EQ(summary.packs_total, before.packs);
  EXPECT_EQ(summary.packs_removed, before.packs_unused);
  EXPECT_EQ(summary.bytes_freed, before.bytes_unused);
  EXPECT_EQ(dry.packs_removed, summary.packs_removed);
  EXPECT_EQ(dry.bytes_freed, summary.bytes_freed);
  EXPECT_EQ(dry.indexes_removed, summary.indexes_removed);
  EXPECT_EQ(collect_stats(keyless)->packs_unused, 0U);
  EXPECT_TRUE(listed(world.store(), Kind::kCondemned).empty());
  expect_no_findings(world.repository());
}

TEST(Gc, RemovesIndexesThatNoSnapshotNames) {
  BackupWorld world;
  world.write("a", 1);
  const ObjectId only = world.backup();
  ASSERT_TRUE(forget_snapshots(world.repository(), {only}).has_value());
  EXPECT_EQ(gc(world.repository())->indexes_removed, 1U);
  EXPECT_TRUE(listed(world.store(), Kind::kPack).empty());
  EXPECT_TRUE(listed(world.store(), Kind::kIndex).empty());
}

TEST(Gc, KeepsWhatAnInterruptedBackupLeftForADay) {
  BackupWorld world;
  world.write("a", 1);
  interrupted_backup(world);
  const auto orphans = listed(world.store(), Kind::kPack);
  ASSERT_FALSE(orphans.empty());
  EXPECT_EQ(gc(world.repository())->packs_removed, 0U);
  EXPECT_EQ(listed(world.store(), Kind::kPack), orphans);
  world.disk().advance_clock(25 * test::kHourNs);
  EXPECT_EQ(gc(world.repository())->packs_removed, orphans.size());
}

TEST(Gc, LeavesWhatARunningJobMayLeanOnAndTakesItUpLater) {
  BackupWorld world;
  world.write("a", 1);
  const ObjectId only = world.backup();
  auto lease = Lease::take(world.store(), LeasePurpose::kBackup).value();
  ASSERT_TRUE(forget_snapshots(world.repository(), {only}).has_value());
  const auto packs = listed(world.store(), Kind::kPack);
  const GcSummary waiting = gc(world.repository()).value();
  EXPECT_EQ(waiting.packs_removed, 0U);
  EXPECT_EQ(waiting.packs_waiting, packs.size());
  EXPECT_GT(waiting.bytes_waiting, 0U);
  EXPECT_EQ(listed(world.store(), Kind::kPack), packs);

  // A job that begins an hour later has seen the list: it does not keep the run after it from taking it up.
  world.disk().advance_clock(test::kHourNs);
  lease = Lease::take(world.store(), LeasePurpose::kBackup).value();
  EXPECT_EQ(gc(world.repository())->packs_removed, packs.size());
  EXPECT_TRUE(listed(world.store(), Kind::kCondemned).empty());
}

TEST(Gc, ALeaseThatLapsedHoldsNothingAndIsCleanedUp) {
  BackupWorld world;
  world.write("a", 1);
  const ObjectId only = world.backup();
  const LeaseObject abandoned{.session = {1, 2, 3}, .purpose = LeasePurpose::kBackup, .start = 0};
  ASSERT_TRUE(world.repository().put(Kind::kLease, abandoned.encode()).has_value());
  ASSERT_TRUE(forget_snapshots(world.repository(), {only}).has_value());
  EXPECT_EQ(gc(world.repository())->packs_removed, 0U);
  world.disk().advance_clock(test::kHourNs);
  EXPECT_GT(gc(world.repository())->packs_removed, 0U);
  EXPECT_TRUE(listed(world.store(), Kind::kLease).empty());
}

TEST(Gc, ALeaseFromTheFutureCountsAsTheEarliest) {
  BackupWorld world;
  world.write("a", 1);
  const ObjectId only = world.backup();
  world.disk().advance_clock(24 * test::kHourNs);
  const auto lease = Lease::take(world.store(), LeasePurpose::kBackup).value();
  world.disk().advance_clock(-24 * test::kHourNs);
  ASSERT_TRUE(forget_snapshots(world.repository(), {only}).has_value());
  EXPECT_EQ(gc(world.repository())->packs_removed, 0U);
}

TEST(Gc, RemovesNothingWhenASnapshotCannotBeRead) {
  BackupWorld world;
  world.write("a", 1);
  const ObjectId first = world.backup();
  world.write("a", 2);
  const ObjectId second = world.backup();
  ASSERT_TRUE(forget_snapshots(world.repository(), {first}).has_value());
  base::Bytes bytes = world.store().get(Kind::kSnapshot, second, kSnapshotLimit).value();
  bytes[40] ^= 1;
  world.disk().plant(test::path_of(Kind::kSnapshot, second), bytes);
  const auto packs = listed(world.store(), Kind::kPack);
  const auto summary = gc(world.repository());
  ASSERT_FALSE(summary.has_value());
  EXPECT_EQ(summary.error().code(), ErrorCode::kDamaged);
  EXPECT_NE(summary.error().text().find(second.hex()), std::string::npos) << summary.error().text();
  EXPECT_NE(summary.error().text().find("kura forget " + second.hex()), std::string::npos);
  EXPECT_EQ(listed(world.store(), Kind::kPack), packs);

  // Giving it up is the way on.
  ASSERT_TRUE(forget_snapshots(world.repository(), {second}).has_value());
  EXPECT_EQ(gc(world.repository())->packs_removed, packs.size());
}

TEST(Gc, RemovesNothingWhenANeededIndexCannotBeRead) {
  for (const bool missing : {false, true}) {
    BackupWorld world;
    world.write("a", 1);
    world.backup();
    const ObjectId index = listed(world.store(), Kind::kIndex).at(0);
    if (missing) {
      ASSERT_TRUE(world.store().remove(Kind::kIndex, index).has_value());
    } else {
      world.disk().plant(test::path_of(Kind::kIndex, index), base::as_bytes("garbage"));
    }
    world.disk().advance_clock(48 * test::kHourNs);
    const auto packs = listed(world.store(), Kind::kPack);
    const auto summary = gc(world.repository());
    ASSERT_FALSE(summary.has_value());
    EXPECT_EQ(summary.error().code(), ErrorCode::kDamaged) << summary.error().text();
    EXPECT_EQ(listed(world.store(), Kind::kPack), packs);
  }
}

TEST(Gc, AForgottenSnapshotDoesNotComeBackWithoutItsPacksWhenThePowerGoes) {
  BackupWorld world;
  world.write("a", 1);
  const ObjectId first = world.backup();
  world.write("a", 2);
  world.backup();
  bool failed = true;
  for (std::size_t n = 0; failed; n += 2) {
    const auto disk = world.copy_of_disk();
    // Forgotten by a process that was killed before it could sync.
    ASSERT_TRUE(test::store_on(*disk)->remove(Kind::kSnapshot, first).has_value());
    // Opened as kura does it: that syncs nothing.
    const Repository keyless = world.open(store::open_folder_store("/store", *disk).value(), false);
    const std::size_t begin = disk->operations();
    disk->fail_from(begin + n, EIO);
    static_cast<void>(gc(keyless));
    failed = disk->operations() > begin + n;
    // What reaches the disk is chance, above all at the end.
    for (std::uint64_t seed = 0; seed < (failed ? 1 : 12); ++seed) {
      const auto after = disk->crash(n + seed);
      const auto checked = check(world.unlocked(test::store_on(*after)));
      ASSERT_EQ(checked.findings.size(), 0U) << "at " << n << ": " << checked.text();
    }
  }
}

TEST(Gc, IsHarmlessWhereverItFails) {
  BackupWorld world;
  world.write("a", 1);
  const ObjectId first = world.backup();
  world.write("a", 2);
  world.backup();
  ASSERT_TRUE(forget_snapshots(world.repository(), {first}).has_value());
  bool failed = true;
  for (std::size_t n = 0; failed; n += 2) {
    const auto disk = world.copy_of_disk();
    const Repository repository = world.open(test::store_on(*disk), false);
    const std::size_t begin = disk->operations();
    disk->fail_only(begin + n, EIO);
    static_cast<void>(gc(repository));
    failed = disk->operations() > begin + n;
    disk->set_fault({});
    const auto checked = check(world.unlocked(test::store_on(*disk)));
    ASSERT_EQ(checked.findings.size(), 0U) << "at " << n << ": " << checked.text();
    // And the next run finishes, at the latest when the list is old.
    disk->advance_clock(2 * test::kHourNs);
    ASSERT_TRUE(gc(world.open(test::store_on(*disk), false)).has_value());
    EXPECT_EQ(collect_stats(world.open(test::store_on(*disk), false))->packs_unused, 0U);
    EXPECT_TRUE(listed(*test::store_on(*disk), Kind::kCondemned).empty());
  }
}

// A machine whose next backup wants exactly what is garbage: of a forgotten snapshot, and of an interrupted backup.
struct Tempting : BackupWorld {
  Tempting() {
    write("a", 1);
    write("b", 2);
    const ObjectId first = backup();
    erase("b");
    backup();
    write("d", 4);
    interrupted_backup(*this);
    EXPECT_TRUE(forget_snapshots(repository(), {first}).has_value());
    write("b", 2);
  }

  // One collection and one backup by the script; how many steps the collection took.
  std::size_t round(std::deque<store::Turns::Stretch> script, const std::string& about) {
    const auto disk = copy_of_disk();
    store::Turns turns(1, 2, std::move(script));
    std::size_t steps = 0;
    {
      const std::jthread collection([&] {
        const Repository repository =
            open(std::make_shared<store::SteppingStore>(test::store_on(*disk), turns, 0), false);
        EXPECT_TRUE(gc(repository, {.keep_orphans = 0}).has_value());
        steps = turns.steps(0);
        turns.finish(0);
      });
      const std::jthread other([&] {
        const auto summary = backup(open(std::make_shared<store::SteppingStore>(test::store_on(*disk), turns, 1)));
        EXPECT_TRUE(summary.has_value()) << about << ": " << summary.error().text();
        turns.finish(1);
      });
    }
    const auto checked = check(unlocked(test::store_on(*disk)));
    EXPECT_EQ(checked.findings.size(), 0U) << about << ": " << checked.text();
    EXPECT_EQ(checked.summary.snapshots, 2U) << about;
    return steps;
  }
};
constexpr std::size_t kAll = 1'000'000;

TEST(Gc, ABackupMayBeginAtAnyStepOfACollection) {
  Tempting world;
  // The backup has taken its lease and chosen what to lean on, but stored nothing, when the collection goes on.
  for (std::size_t k = 0, steps = k + 1; k < steps && !HasFailure(); ++k) {
    steps = world.round({{0, k}, {1, 20}, {0, kAll}, {1, kAll}}, "at " + std::to_string(k));
  }
}

TEST(Gc, ABackupMayRunWholeAtAnyStepOfACollection) {
  Tempting world;
  for (std::size_t k = 0, steps = k + 1; k < steps && !HasFailure(); ++k) {
    steps = world.round({{0, k}, {1, kAll}, {0, kAll}}, "at " + std::to_string(k));
  }
}

TEST(Gc, ACollectionMayRunWholeAtAnyStepOfABackup) {
  Tempting world;
  for (std::size_t k = 0; k < 70 && !HasFailure(); k += 2) {
    world.round({{1, k}, {0, kAll}, {1, kAll}}, "at " + std::to_string(k));
  }
}

// Two collections, a forgetting, a backup that wants exactly what is garbage, and a copy from another place, in many
// orders of their steps. Whatever the order, what is committed is whole.
TEST(Gc, NoInterleavingWithBackupsForgettingAndAnotherCollectionHarmsASnapshot) {
  BackupWorld world;
  world.write("a", 1);
  world.write("b", 2);
  const ObjectId first = world.backup();
  world.erase("b");
  world.write("c", 3);
  const ObjectId second = world.backup();
  world.write("d", 4);
  interrupted_backup(world);
  world.erase("c");
  world.backup();
  world.write("b", 2);  // only in `first`
  world.write("c", 3);  // only in `second`

  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto disk = world.copy_of_disk();
    {
      // Already garbage when everything begins, in half of the rounds; else it becomes so meanwhile.
      const Repository repository = world.open(test::store_on(*disk), false);
      if (seed % 2 == 0) ASSERT_TRUE(forget_snapshots(repository, {first}).has_value());
    }
    store::Turns turns(seed, 4);
    const auto open = [&](std::size_t job) {
      return world.open(std::make_shared<store::SteppingStore>(test::store_on(*disk), turns, job));
    };
    ObjectId committed;
    {
      const auto job = [&](std::size_t number, auto work) {
        return std::jthread([&turns, number, work] {
          work();
          turns.finish(number);
        });
      };
      const auto backup = job(0, [&] {
        const Repository repository = open(0);
        const auto summary = world.backup(repository);
        EXPECT_TRUE(summary.has_value()) << seed << ": " << summary.error().text();
        if (summary) committed = summary->snapshot_id;
      });
      const auto one = job(1, [&] { EXPECT_TRUE(gc(open(1), {.keep_orphans = 0}).has_value()) << seed; });
      const auto other = job(2, [&] { EXPECT_TRUE(gc(open(2), {.keep_orphans = 0}).has_value()) << seed; });
      const auto forgetting = job(3, [&] {
        const Repository repository = open(3);
        EXPECT_TRUE(forget_snapshots(repository, {second}).has_value());
        if (seed % 2 == 1) EXPECT_TRUE(forget_snapshots(repository, {first}).has_value());
      });
    }
    const auto checked = check(world.unlocked(test::store_on(*disk)));
    ASSERT_EQ(checked.findings.size(), 0U) << "seed " << seed << ": " << checked.text();
    EXPECT_EQ(checked.summary.snapshots, 2U);
    EXPECT_EQ(test::store_on(*disk)->stat(Kind::kSnapshot, committed).has_value(), true);

    // In the end all garbage goes.
    disk->advance_clock(2 * test::kHourNs);
    const Repository keyless = world.open(test::store_on(*disk), false);
    ASSERT_TRUE(gc(keyless, {.keep_orphans = 0}).has_value());
    EXPECT_EQ(collect_stats(keyless)->packs_unused, 0U) << seed;
    EXPECT_TRUE(listed(keyless.store(), Kind::kCondemned).empty()) << seed;
    const auto at_last = check(world.unlocked(test::store_on(*disk)));
    ASSERT_EQ(at_last.findings.size(), 0U) << "seed " << seed << ": " << at_last.text();
  }
}

TEST(Gc, NoInterleavingWithACopyHarmsASnapshot) {
  BackupWorld world;
  world.write("a", 1);
  const ObjectId first = world.backup();
  world.write("b", 2);
  const ObjectId second = world.backup();
  base::Progress progress;
  store::CrashFileSystem twin;
  ASSERT_TRUE(copy_twin(world.repository(), *test::store_on(twin), {}, progress, {}).has_value());
  ASSERT_TRUE(forget_snapshots(world.open(test::store_on(twin), false), {first}).has_value());
  ASSERT_TRUE(test::store_on(twin)->sync().has_value());

  for (std::uint64_t seed = 0; seed < 25; ++seed) {
    const auto disk = twin.crash(seed);
    store::Turns turns(seed, 3);
    const auto stepping = [&](std::size_t job) {
      return std::make_shared<store::SteppingStore>(test::store_on(*disk), turns, job);
    };
    {
      const std::jthread copy([&] {
        base::Progress ignored;
        const auto copied = copy_twin(world.repository(), *stepping(0), {}, ignored, {});
        EXPECT_TRUE(copied.has_value() || copied.error().code() == ErrorCode::kConflict) << copied.error().text();
        turns.finish(0);
      });
      const std::jthread collection([&] {
        EXPECT_TRUE(gc(world.open(stepping(1), false), {.keep_orphans = 0}).has_value());
        turns.finish(1);
      });
      const std::jthread forgetting([&] {
        EXPECT_TRUE(forget_snapshots(world.open(stepping(2), false), {second}).has_value());
        turns.finish(2);
      });
    }
    const auto checked = check(world.unlocked(test::store_on(*disk)));
    ASSERT_EQ(checked.findings.size(), 0U) << "seed " << seed << ": " << checked.text();
    // A copy after a collection that was not disturbed goes through.
    disk->advance_clock(2 * test::kHourNs);
    ASSERT_TRUE(gc(world.open(test::store_on(*disk), false)).has_value());
    const auto again = copy_twin(world.repository(), *test::store_on(*disk), {}, progress, {});
    ASSERT_TRUE(again.has_value()) << again.error().text();
    EXPECT_EQ(check(world.unlocked(test::store_on(*disk))).summary.snapshots, 2U);
  }
}

}  // namespace
}  // namespace kura::archive
