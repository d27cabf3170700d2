// A pack is lost, and a later backup stores again what the machine still has of it: older snapshots are read from
// there, check tells what is lost and what is not, and garbage collection keeps it.
#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "archive/format/limits.h"
#include "archive/repo/pack_reader.h"
#include "archive/upkeep/forget.h"
#include "archive/upkeep/gc.h"
#include "support/archive/backup_world.h"
#include "support/archive/repository_builder.h"
#include "support/archive/restored.h"
#include "support/store/faulty_store.h"

namespace kura::archive::test {
namespace {

using kura::test::TemporaryFolder;
using store::FaultyStore;
using store::Kind;
using store::listed;
using store::ObjectId;
namespace fs = std::filesystem;

std::string lines_of_text() {
  std::string text;
  for (int line = 0; line < 500; ++line) text += "line " + std::to_string(line) + "\n";
  return text;
}

// Two snapshots of the same two files, each with packs of its own.
struct StoredTwice {
  StoredTwice() {
    builder.compress(false);
    first = builder.commit({builder.file("large", lines_of_text()), builder.file("small", "small")});
    lost = builder.packs()[0];
    builder.commit({builder.file("large", lines_of_text()), builder.file("small", "small")});
  }
  Restored restore_first() const {
    return restore(builder.repository(), first, {.target = target / "t", .verify = true});
  }
  void expect_whole(const Restored& restored) const {
    ASSERT_TRUE(restored.summary.has_value()) << restored.summary.error().text();
    EXPECT_EQ(restored.problems.size(), 0U);
    EXPECT_EQ(read_file(target / "t/large"), lines_of_text());
    EXPECT_EQ(read_file(target / "t/small"), "small");
  }

  RepositoryBuilder builder;
  StoredSnapshot first;
  ObjectId lost;
  TemporaryFolder target;
};

TEST(LostPack, IsReplacedByWhatLaterSnapshotsName) {
  const StoredTwice stored;
  ASSERT_EQ(stored.first.snapshot.needs.size(), 1U);
  fs::remove(stored.builder.path_of(Kind::kPack, stored.lost));
  const Restored restored = stored.restore_first();
  stored.expect_whole(restored);
  ASSERT_EQ(restored.summary->damaged.size(), 1U);
  EXPECT_EQ(restored.summary->damaged[0].id, stored.lost);
  EXPECT_NE(restored.summary->damaged[0].error.message().find("stored again"), std::string::npos);
}

TEST(LostPack, MayBeThereAndDamaged) {
  const StoredTwice stored;
  stored.builder.damage(Kind::kPack, stored.lost, kPackHeaderSize + 1);
  stored.expect_whole(stored.restore_first());
}

TEST(LostPack, MayBeLostTogetherWithItsIndex) {
  const StoredTwice stored;
  fs::remove(stored.builder.path_of(Kind::kPack, stored.lost));
  fs::remove(stored.builder.path_of(Kind::kIndex, stored.builder.indexes()[0]));
  stored.expect_whole(stored.restore_first());
}

TEST(LostPack, OfListingsIsReplacedToo) {
  StoredTwice stored;
  for (const ObjectId& pack : stored.builder.packs()) {
    if (pack != stored.builder.packs()[2] && pack != stored.builder.packs()[3]) {
      fs::remove(stored.builder.path_of(Kind::kPack, pack));
    }
  }
  stored.expect_whole(stored.restore_first());
}

TEST(LostPack, KeepsItsOwnErrorWhereNothingElseHasItsChunks) {
  RepositoryBuilder builder;
  const StoredSnapshot snapshot = builder.commit({builder.file("file", "of one snapshot")});
  builder.commit({builder.file("other", "of another")});
  fs::remove(builder.path_of(Kind::kPack, builder.packs()[0]));
  const TemporaryFolder target;
  const Restored restored = restore(builder.repository(), snapshot, {.target = target / "t"});
  ASSERT_EQ(restored.problems.size(), 1U);
  EXPECT_NE(restored.problems.at("/file").message().find(builder.packs()[0].hex()), std::string::npos);
  EXPECT_TRUE(restored.summary->damaged.empty());
}

// A machine whose pack of file contents goes.
class LosingWorld : public BackupWorld {
 public:
  LosingWorld() {
    write("a", 1);
    write("b", 2);
    first = backup();
    lost = file_packs().at(0);
    EXPECT_EQ(file_packs().size(), 1U);
  }
  std::vector<ObjectId> file_packs() const {
    std::vector<ObjectId> packs;
    for (const ObjectId& id : listed(store(), Kind::kPack)) {
      constexpr std::size_t kContentAt = 11;  // docs/format.md, section 5
      std::array<std::uint8_t, 1> content{};
      EXPECT_TRUE(store().read_at(Kind::kPack, id, kContentAt, content).has_value());
      if (content[0] == 1) packs.push_back(id);
    }
    return packs;
  }
  void lose() const { ASSERT_TRUE(store().remove(Kind::kPack, lost).has_value()); }
  Checked checked_with_all_keys() const { return check(unlocked(repository().shared_store())); }
  Repository keyless() const { return open(repository().shared_store(), false); }

  ObjectId first, lost;
};

TEST(LostPack, CostsNothingWhileAllIsWell) {
  LosingWorld world;
  world.write("c", 3);
  world.backup();
  FaultyStore counting(world.store());
  std::set<ObjectId> indexes_read;
  std::size_t packs_listed = 0;
  counting.fail([&](FaultyStore::Call call, Kind kind, const ObjectId& id) {
    if (call == FaultyStore::Call::kGet && kind == Kind::kIndex) indexes_read.insert(id);
    if (call == FaultyStore::Call::kList && kind == Kind::kPack) ++packs_listed;
    return false;
  });
  const Repository repository = world.unlocked({std::shared_ptr<void>(), &counting});
  const StoredSnapshot snapshot = repository.snapshot(world.first).value();
  const TemporaryFolder target;
  const Restored restored = restore(repository, snapshot, {.target = target / "t", .threads = 1});
  EXPECT_TRUE(restored.summary.has_value() && restored.problems.empty());
  EXPECT_TRUE(indexes_read.empty()) << "the machine has kept what the one that is needed says";
  EXPECT_EQ(packs_listed, 0U);
}

TEST(LostPack, IsNoDamageToACheckThatFindsAllOfItStoredAgain) {
  LosingWorld world;
  world.lose();
  EXPECT_EQ(world.checked_with_all_keys().findings.size(), 1U);
  world.backup();
  const Checked without = check(world.keyless());
  ASSERT_EQ(without.findings.size(), 1U) << without.text();
  EXPECT_EQ(without.findings[0].snapshots, std::vector{world.first});
  EXPECT_NE(without.findings[0].error.hint().find("with a key"), std::string::npos);
  for (const Repository& repository :
       {world.open(world.repository().shared_store()), world.unlocked(world.repository().shared_store())}) {
    const auto checked = expect_no_findings(repository);
    EXPECT_EQ(checked.summary.packs_replaced, 1U);
  }
}

TEST(LostPack, IsToldWithThoseSnapshotsThatStillMissSomethingOfIt) {
  LosingWorld world;
  world.erase("b");
  const ObjectId second = world.backup();
  world.lose();
  world.backup();
  const Checked as_machine = check(world.open(world.repository().shared_store()));
  ASSERT_EQ(as_machine.findings.size(), 1U) << as_machine.text();
  EXPECT_EQ(as_machine.findings[0].snapshots, (std::vector{world.first, second}));  // both name it
  EXPECT_NE(as_machine.text().find("stored nowhere else"), std::string::npos) << as_machine.text();
  const Checked checked = world.checked_with_all_keys();
  ASSERT_EQ(checked.findings.size(), 1U) << checked.text();
  EXPECT_EQ(checked.findings[0].id, world.lost);
  EXPECT_EQ(checked.findings[0].snapshots, std::vector{world.first});
  EXPECT_NE(checked.text().find(world.source() + "/b needs"), std::string::npos) << checked.text();
  EXPECT_EQ(checked.summary.packs_replaced, 0U);
}

TEST(LostPack, IsNotCalledReplacedWhereNoIndexTellsWhatItHeld) {
  LosingWorld world;
  const ObjectId index = listed(world.store(), Kind::kIndex).at(0);
  base::Bytes bytes = world.store().get(Kind::kIndex, index, kIndexLimit).value();
  bytes.back() ^= 1;  // in the sealed part: which packs it lists can still be told
  world.disk().plant(path_of(Kind::kIndex, index), bytes);
  world.lose();
  for (const Repository& repository :
       {world.open(world.repository().shared_store()), world.unlocked(world.repository().shared_store())}) {
    EXPECT_EQ(check(repository).summary.packs_replaced, 0U);
    EXPECT_GE(check(repository).findings.size(), 1U);
  }
}

TEST(LostPack, ACopyThatIsDamagedItselfReplacesNothing) {
  LosingWorld world;
  world.lose();
  world.backup();
  const ObjectId again = world.file_packs().at(0);
  base::Bytes bytes = world.store().get(Kind::kPack, again, kPackLimit).value();
  bytes[bytes.size() / 2] ^= 1;
  world.disk().plant(path_of(Kind::kPack, again), bytes);
  const Checked checked = world.checked_with_all_keys();
  EXPECT_EQ(checked.findings.size(), 2U) << checked.text();
  EXPECT_EQ(checked.summary.packs_replaced, 0U);
}

// What was stored again is named by no snapshot that is left.
struct HealedAndForgotten : LosingWorld {
  HealedAndForgotten() {
    lose();
    const ObjectId second = backup();
    again = file_packs().at(0);
    write("c", 3);
    const ObjectId third = backup();
    EXPECT_TRUE(forget_snapshots(repository(), {second, third}).has_value());
    disk().advance_clock(48 * kHourNs);  // nothing is kept for its age
  }
  bool is_healed() const {
    return store().stat(Kind::kPack, again).has_value() && check(repository()).findings.empty();
  }
  ObjectId again;
};

TEST(LostPack, GcKeepsWhatStandsInForIt) {
  HealedAndForgotten world;
  ASSERT_TRUE(world.is_healed());
  const GcSummary summary = gc(world.open(world.repository().shared_store())).value();  // as the machine
  EXPECT_EQ(summary.packs_lost, 1U);
  EXPECT_FALSE(summary.kept_all);
  EXPECT_GT(summary.packs_removed, 0U);  // those of the file that only a forgotten snapshot has
  EXPECT_TRUE(world.is_healed());
  EXPECT_EQ(listed(world.store(), Kind::kIndex).size(), 2U);

  // With the snapshot that needed it goes what stood in.
  ASSERT_TRUE(forget_snapshots(world.repository(), {world.first}).has_value());
  EXPECT_EQ(gc(world.repository())->packs_lost, 0U);
  EXPECT_TRUE(listed(world.store(), Kind::kPack).empty());
}

TEST(LostPack, GcKeepsAllWhereNoKeyTellsWhatStandsIn) {
  HealedAndForgotten world;
  const auto packs = listed(world.store(), Kind::kPack);
  for (const bool dry_run : {true, false}) {
    const GcSummary summary = gc(world.keyless(), {.dry_run = dry_run}).value();
    EXPECT_EQ(summary.packs_lost, 1U);
    EXPECT_TRUE(summary.kept_all);
    EXPECT_EQ(summary.packs_removed, 0U);
  }
  EXPECT_EQ(listed(world.store(), Kind::kPack), packs);
  EXPECT_TRUE(world.is_healed());
}

TEST(LostPack, GcKeepsAllWhereAnIndexDoesNotTellWhatStandsIn) {
  HealedAndForgotten world;
  for (const ObjectId& index : listed(world.store(), Kind::kIndex)) {
    base::Bytes bytes = world.store().get(Kind::kIndex, index, kIndexLimit).value();
    const bool names_it = std::ranges::any_of(world.repository().index(index)->packs,
                                              [&](const IndexedPack& pack) { return pack.id == world.again; });
    if (!names_it) continue;
    bytes.back() ^= 1;
    ASSERT_TRUE(world.repository().put(Kind::kIndex, bytes).has_value());  // sealed by nobody
  }
  EXPECT_TRUE(gc(world.repository())->kept_all);
  EXPECT_TRUE(world.store().stat(Kind::kPack, world.again).has_value());
}

TEST(LostPack, GcKeepsAStandInThatNoIndexLists) {
  HealedAndForgotten world;
  const ObjectId old = world.repository().snapshot(world.first)->snapshot.needs.at(0).index;
  for (const ObjectId& index : listed(world.store(), Kind::kIndex)) {
    if (index != old) ASSERT_TRUE(world.store().remove(Kind::kIndex, index).has_value());
  }
  ASSERT_TRUE(gc(world.repository()).has_value());
  EXPECT_TRUE(world.is_healed());
}

TEST(LostPack, MayBeTooShort) {
  LosingWorld world;
  base::Bytes bytes = world.store().get(Kind::kPack, world.lost, kPackLimit).value();
  bytes.resize(bytes.size() / 2);
  world.disk().plant(path_of(Kind::kPack, world.lost), bytes);
  const ObjectId second = world.backup();
  EXPECT_EQ(world.file_packs().size(), 2U);
  ASSERT_TRUE(forget_snapshots(world.repository(), {second}).has_value());
  EXPECT_EQ(gc(world.repository())->packs_lost, 1U);
  EXPECT_EQ(world.file_packs().size(), 2U);
}

}  // namespace
}  // namespace kura::archive::test
