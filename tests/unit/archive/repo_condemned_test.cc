// What may be about to go: by name, and where a list cannot be read.
#include <gtest/gtest.h>

#include "archive/repo/condemned.h"
#include "archive/upkeep/forget.h"
#include "support/archive/backup_world.h"
#include "support/archive/format_samples.h"
#include "support/store/faulty_store.h"

namespace kura::archive {
namespace {

using base::ErrorCode;
using store::Kind;
using store::listed;
using store::ObjectId;
using store::ObjectInfo;
using test::BackupWorld;
using test::check;
using test::expect_no_findings;
using test::kHourNs;
using test::kSecondNs;

// A list of version 9, such as a newer program's collection puts.
base::Bytes newer_list() {
  base::Bytes bytes = CondemnedObject{}.encode();
  bytes[8] = 9;
  return bytes;
}

std::size_t packs_that_may_go(const Repository& repository) {
  const Condemned condemned = Condemned::read(repository).value();
  return static_cast<std::size_t>(
      std::ranges::count_if(repository.store().list(Kind::kPack).value(),
                            [&](const ObjectInfo& pack) { return condemned.may_go(Kind::kPack, pack); }));
}

TEST(Condemned, ListsAreAddedUp) {
  const BackupWorld world;
  const ObjectId one = test::digest_of(1), two = test::digest_of(2), three = test::digest_of(3);
  ASSERT_TRUE(world.repository().put(Kind::kCondemned, CondemnedObject{.packs = {one}, .indexes = {}}.encode()));
  ASSERT_TRUE(world.repository().put(Kind::kCondemned, CondemnedObject{.packs = {two}, .indexes = {three}}.encode()));
  const auto condemned = Condemned::read(world.repository());
  ASSERT_TRUE(condemned) << condemned.error().text();
  EXPECT_TRUE(condemned->names(Kind::kPack, one) && condemned->names(Kind::kPack, two) &&
              condemned->names(Kind::kIndex, three));
  EXPECT_TRUE(condemned->may_go(Kind::kPack, {.id = one, .size = 1, .received = 0}));
  EXPECT_FALSE(condemned->may_go(Kind::kPack, {.id = three, .size = 1, .received = 0}));
  EXPECT_TRUE(condemned->may_go(Kind::kIndex, {.id = three, .size = 1, .received = 0}));
}

TEST(Condemned, AListThatCannotBeReadMayNameWhatNoOldSnapshotNeeds) {
  for (const bool newer : {false, true}) {
    BackupWorld world;
    world.write("a", 1);
    world.backup();
    const std::size_t old_packs = listed(world.store(), Kind::kPack).size();
    world.disk().advance_clock(kHourNs);
    world.write("b", 2);
    world.backup();  // just now: a collection that has begun before may not have seen it
    const std::size_t young_packs = listed(world.store(), Kind::kPack).size() - old_packs;
    ASSERT_GT(young_packs, 0U);
    EXPECT_EQ(packs_that_may_go(world.repository()), 0U);
    world.disk().advance_clock(kSecondNs);
    ASSERT_TRUE(world.repository().put(Kind::kCondemned, newer ? newer_list() : base::Bytes(9, 1)).has_value());
    EXPECT_EQ(packs_that_may_go(world.repository()), young_packs);
    world.disk().advance_clock(kSecondNs);
    world.write("c", 3);
    world.backup();  // what came after the list is not in it
    EXPECT_EQ(packs_that_may_go(world.repository()), young_packs);
  }
}

TEST(Condemned, ABackupGoesOnBesideAListThatCannotBeReadAndStoresLittle) {
  BackupWorld world;
  world.write("a", 1, 3'000'000);
  world.backup();
  world.disk().advance_clock(kHourNs);
  ASSERT_TRUE(world.repository().put(Kind::kCondemned, base::as_bytes("garbage")).has_value());
  world.disk().advance_clock(kSecondNs);
  world.write("b", 2);
  const auto summary = world.backup(world.repository());
  ASSERT_TRUE(summary.has_value()) << summary.error().text();
  EXPECT_LT(summary->bytes_stored_new, 300'000U);
  world.disk().advance_clock(kHourNs);
  ASSERT_TRUE(test::gc(world.repository()).has_value());
  EXPECT_TRUE(listed(world.store(), Kind::kCondemned).empty());
  expect_no_findings(world.repository());
}

// The worst: a collection whose own list rots as soon as it is written, and a backup that wants what it removes.
TEST(Condemned, ACollectionWhoseListRotsTakesNothingThatABackupLeansOn) {
  BackupWorld world;
  world.write("a", 1);
  const ObjectId first = world.backup();
  world.disk().advance_clock(kHourNs);
  world.write("a", 2);
  world.backup();
  ASSERT_TRUE(forget_snapshots(world.repository(), {first}).has_value());
  world.write("a", 1);  // wanted again

  store::FaultyStore rotting(world.store());
  bool done = false;
  rotting.fail([&](store::FaultyStore::Call call, Kind kind, const ObjectId&) {
    if (done || call != store::FaultyStore::Call::kRemove || kind == Kind::kLease) return false;
    done = true;  // the collection has looked at everything, and is about to remove
    for (const ObjectId& list : listed(world.store(), Kind::kCondemned)) {
      world.disk().plant(test::path_of(Kind::kCondemned, list), base::as_bytes("rotten"));
    }
    EXPECT_TRUE(world.backup(world.repository()).has_value());
    return false;
  });
  const auto summary = test::gc(world.open({std::shared_ptr<void>(), &rotting}, false));
  ASSERT_TRUE(summary.has_value()) << summary.error().text();
  ASSERT_TRUE(done);
  EXPECT_GT(summary->packs_removed, 0U);
  world.disk().advance_clock(2 * kHourNs);
  ASSERT_TRUE(test::gc(world.repository()).has_value());
  const auto checked = expect_no_findings(world.repository());
  EXPECT_EQ(checked.summary.snapshots, 2U);
}

TEST(Condemned, ACheckNamesAListThatCannotBeRead) {
  for (const bool newer : {false, true}) {
    const BackupWorld world;
    const ObjectId list = world.repository().put(Kind::kCondemned, newer ? newer_list() : base::Bytes(9, 1)).value();
    const auto checked = check(world.open(world.repository().shared_store(), false));
    ASSERT_EQ(checked.findings.size(), 1U) << checked.text();
    EXPECT_EQ(checked.findings[0].kind, Kind::kCondemned);
    EXPECT_EQ(checked.findings[0].id, list);
    EXPECT_EQ(checked.findings[0].error.code(), newer ? ErrorCode::kUnsupported : ErrorCode::kDamaged);
  }
}

// The claim that a list's time is told by (repo/condemned.h).
TEST(Condemned, ACollectionThatTakesTooLongToChooseCondemnsNothing) {
  BackupWorld world;
  world.write("a", 1);
  const ObjectId only = world.backup();
  world.write("a", 2);
  world.backup();
  ASSERT_TRUE(forget_snapshots(world.repository(), {only}).has_value());
  const auto packs = listed(world.store(), Kind::kPack);
  store::FaultyStore slow(world.store());
  slow.fail([&](store::FaultyStore::Call call, Kind kind, const ObjectId&) {
    if (call == store::FaultyStore::Call::kList && kind == Kind::kSnapshot) world.disk().advance_clock(kHourNs);
    return false;
  });
  const auto summary = test::gc(world.open({std::shared_ptr<void>(), &slow}, false));
  test::expect_error(summary, ErrorCode::kConflict, "too long");
  EXPECT_EQ(listed(world.store(), Kind::kPack), packs);
  EXPECT_TRUE(listed(world.store(), Kind::kCondemned).empty());
}

}  // namespace
}  // namespace kura::archive
