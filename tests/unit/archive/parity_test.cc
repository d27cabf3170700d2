// Parity made by backups, recovery row by row, and its upkeep by garbage collection.
#include <random>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "archive/parity/code.h"
#include "archive/parity/group_shape.h"
#include "archive/parity/maintenance.h"
#include "archive/parity/repair.h"
#include "archive/parity/shard_builder.h"
#include "archive/upkeep/forget.h"
#include "support/archive/backup_world.h"

namespace kura::archive {
namespace {

using base::Bytes;
using store::Kind;
using store::listed;
using store::ObjectId;
using store::sample;
using test::path_of;

// A store with some packs in one group of 2 shards.
struct GroupOnDisk {
  explicit GroupOnDisk(const std::vector<std::size_t>& sizes) {
    std::vector<ParityMember> members;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      const auto pack = sample(i + 1, sizes[i]);
      EXPECT_TRUE(store->put(Kind::kPack, pack.id, pack.bytes).has_value());
      packs.push_back(pack);
      members.push_back({.kind = Kind::kPack, .id = pack.id, .size = pack.bytes.size()});
    }
    const auto groups = plan_groups(pack_groups({.columns = 5, .shards = 2}), members);
    EXPECT_EQ(groups.size(), 1U);
    const auto built = build_group(*store, groups.front());
    EXPECT_TRUE(built.has_value());
    EXPECT_TRUE(store_shards(*store, built->shards).has_value());
  }
  std::vector<ObjectName> repair(const std::vector<ObjectName>& objects) {
    const auto parity = read_parity(*store, {}).value();
    return repair_objects(*store, parity, objects, {}, {}, {}).value();
  }
  bool whole(std::size_t i) {
    const auto bytes = store->get(Kind::kPack, packs[i].id, store::kNoLimit);
    return bytes && *bytes == packs[i].bytes;
  }

  store::CrashFileSystem disk;
  std::shared_ptr<store::Store> store = test::store_on(disk);
  std::vector<store::Sample> packs;
};

TEST(ParityCode, ChecksumsAreThoseOfXz) {
  EXPECT_EQ(block_checksum(base::as_bytes("123456789")), 0x995DC9BBDF1939FAULL);
  EXPECT_EQ(block_checksum(base::as_bytes("6789"), block_checksum(base::as_bytes("12345"))), 0x995DC9BBDF1939FAULL);
}

const std::vector<std::size_t> kSizes = {1'500'000, 1'400'000, 70'000, 1'000'001, 65'536, 300'000, 9};

TEST(ParityRepair, AnyTwoLostPacksComeBackAndThreeDoNot) {
  GroupOnDisk group(kSizes);
  for (std::size_t a = 0; a < kSizes.size(); ++a) {
    for (std::size_t b = a + 1; b < kSizes.size(); ++b) {
      ASSERT_TRUE(group.store->remove(Kind::kPack, group.packs[a].id).has_value());
      ASSERT_TRUE(group.store->remove(Kind::kPack, group.packs[b].id).has_value());
      EXPECT_TRUE(group.repair({{Kind::kPack, group.packs[a].id}, {Kind::kPack, group.packs[b].id}}).empty());
      EXPECT_TRUE(group.whole(a) && group.whole(b)) << a << ' ' << b;
    }
  }
  for (const std::size_t i : {0U, 1U, 3U}) ASSERT_TRUE(group.store->remove(Kind::kPack, group.packs[i].id).has_value());
  EXPECT_EQ(group.repair({{Kind::kPack, group.packs[0].id}}).size(), 1U);
  EXPECT_FALSE(group.store->stat(Kind::kPack, group.packs[0].id).has_value());
}

TEST(ParityRepair, ScatteredRotInEveryPackAndAShardIsRepairedRowByRow) {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    GroupOnDisk group(kSizes);
    std::mt19937_64 random(seed);
    // Each row of blocks loses at most two of its blocks: here in row r, columns r and r + 1.
    const auto parity = read_parity(*group.store, {}).value();
    const auto& columns = parity.groups.front().group.columns;
    std::vector<ObjectName> damaged;
    for (std::size_t c = 0; c < columns.size(); ++c) {
      const ParityMember& member = columns[c].front();
      Bytes bytes = group.store->get(member.kind, member.id, store::kNoLimit).value();
      bool hit = false;
      for (std::size_t row = 0; row * 65536 < bytes.size(); ++row) {
        if (row % columns.size() != c && (row + 1) % columns.size() != c) continue;
        bytes[row * 65536 + random() % std::min<std::size_t>(65536, bytes.size() - row * 65536)] ^=
            static_cast<std::uint8_t>(1U << random() % 8);
        hit = true;
      }
      if (!hit) continue;
      group.disk.plant(path_of(member.kind, member.id), bytes);
      damaged.push_back({member.kind, member.id});
    }
    ASSERT_GE(damaged.size(), 4U);
    EXPECT_TRUE(group.repair(damaged).empty()) << seed;
    for (std::size_t i = 0; i < kSizes.size(); ++i) EXPECT_TRUE(group.whole(i)) << seed << ' ' << i;
  }
}

// A group of chance, and damage of chance to blocks of its objects and shards.
struct DamagedGroup {
  static constexpr std::uint8_t kBlockBits = 9;
  static constexpr std::size_t kBlock = std::size_t{1} << kBlockBits;

  explicit DamagedGroup(std::mt19937_64& chance) {
    std::vector<ParityMember> members;
    for (std::size_t i = 0, count = 1 + chance() % 9; i < count; ++i) {
      const auto pack = sample(chance(), 1 + chance() % 3000);
      EXPECT_TRUE(store->put(Kind::kPack, pack.id, pack.bytes).has_value());
      members.push_back({.kind = Kind::kPack, .id = pack.id, .size = pack.bytes.size()});
    }
    const GroupForm form{.columns = static_cast<unsigned>(1 + chance() % 6),
                         .shards = static_cast<std::uint8_t>(1 + chance() % 4),
                         .block_bits = kBlockBits,
                         .free_length = 1U << 20};
    group = plan_groups(form, members).front();
    EXPECT_TRUE(store_shards(*store, build_group(*store, group).value().shards).has_value());
    rows.resize(group.blocks(group.length()));
  }

  // Each block with the chance of one in `one_in`.
  void damage(std::mt19937_64& chance, std::uint64_t one_in) {
    for (const auto& column : group.columns) {
      std::size_t row = 0;
      for (const ParityMember& member : column) {
        objects.push_back({.name = {member.kind, member.id}, .hit = {}, .now = {}});
        damage_blocks(objects.back(), 0, row, &Row::lost, chance, one_in);
        row += group.blocks(member.size);
      }
    }
    for (const store::ObjectInfo& shard : store->list(Kind::kParity).value()) {
      Object object{.name = {Kind::kParity, shard.id}, .hit = {}, .now = {}};
      damage_blocks(object, shard.size - group.length(), 0, &Row::lost_shards, chance, one_in);
    }
  }

  struct Row {
    std::size_t lost = 0, lost_shards = 0;
  };
  struct Object {
    ObjectName name;
    std::vector<std::size_t> hit;  // rows
    Bytes now;                     // what lies there
  };
  void damage_blocks(Object& object, std::size_t begin, std::size_t first_row, std::size_t Row::* count,
                     std::mt19937_64& chance, std::uint64_t one_in) {
    object.now = store->get(object.name.kind, object.name.id, store::kNoLimit).value();
    for (std::size_t at = begin, row = first_row; at < object.now.size(); at += kBlock, ++row) {
      if (chance() % one_in != 0) continue;
      const std::size_t size = std::min(kBlock, object.now.size() - at);
      object.now[at + chance() % size] ^= static_cast<std::uint8_t>(1U << chance() % 8);
      ++(rows[row].*count);
      object.hit.push_back(row);
    }
    disk.plant(path_of(object.name.kind, object.name.id), object.now);
  }
  bool can_bear(const Object& object) const {
    return std::ranges::all_of(object.hit,
                               [&](std::size_t row) { return rows[row].lost <= group.shards - rows[row].lost_shards; });
  }

  store::CrashFileSystem disk;
  std::shared_ptr<store::Store> store = test::store_on(disk);
  ParityGroup group;
  std::vector<Row> rows;
  std::vector<Object> objects;
};

RC_GTEST_PROP(ParityRepairOfChance, WhatTheRowsCanBearIsRepairedExactlyAndAllElseIsRefusedAndLeftAsItWas,
              (std::uint64_t seed)) {
  std::mt19937_64 chance(seed);
  DamagedGroup damaged(chance);
  damaged.damage(chance, 2 + chance() % 12);
  std::vector<ObjectName> names;
  for (const DamagedGroup::Object& object : damaged.objects) {
    if (!object.hit.empty()) names.push_back(object.name);
  }
  const auto parity = read_parity(*damaged.store, {}).value();
  const auto left = repair_objects(*damaged.store, parity, names, {}, {}, {}).value();
  for (const DamagedGroup::Object& object : damaged.objects) {
    const auto bytes = damaged.store->get(object.name.kind, object.name.id, store::kNoLimit);
    RC_ASSERT(bytes.has_value() == damaged.can_bear(object));
    RC_ASSERT((std::ranges::count(left, object.name) > 0) == !damaged.can_bear(object));
    if (bytes) continue;
    Bytes now(object.now.size());
    RC_ASSERT(damaged.store->read_at(object.name.kind, object.name.id, 0, now).has_value());
    RC_ASSERT(now == object.now);
  }
}

struct ParityWorld : test::BackupWorld {
  ParityWorld() : BackupWorld(std::nullopt, ParityPolicy{.columns = 4, .shards = 2}) {}
};

TEST(ParityUpkeep, EveryPackOfABackupIsProtectedAndCheckSaysSo) {
  ParityWorld world;
  world.write("a", 1);
  world.backup();
  world.write("b", 2);
  world.backup();
  const auto checked = test::expect_no_findings(world.repository());
  EXPECT_GE(checked.summary.parity, 4U);
  EXPECT_EQ(checked.summary.packs_unprotected, 0U);
  EXPECT_EQ(checked.summary.packs_weak, 0U);
}

TEST(ParityUpkeep, ManySmallBackupsShareGroupsAfterACollectionAndAnyTwoPacksComeBack) {
  ParityWorld world;
  for (std::uint64_t day = 1; day <= 6; ++day) {
    world.write("file-" + std::to_string(day), day);
    world.backup();
  }
  const std::size_t before = listed(world.store(), Kind::kParity).size();
  ASSERT_TRUE(test::gc(world.repository()).has_value());
  EXPECT_LT(listed(world.store(), Kind::kParity).size(), before);
  const std::vector<ObjectId> packs = listed(world.store(), Kind::kPack);
  for (std::size_t i = 0; i + 1 < packs.size(); ++i) {
    ASSERT_TRUE(world.store().remove(Kind::kPack, packs[i]).has_value());
    ASSERT_TRUE(world.store().remove(Kind::kPack, packs[i + 1]).has_value());
    const auto parity = read_parity(world.store(), {}).value();
    const std::vector<ObjectName> lost = {{Kind::kPack, packs[i]}, {Kind::kPack, packs[i + 1]}};
    EXPECT_TRUE(repair_objects(world.store(), parity, lost, {}, {}, {}).value().empty()) << i;
  }
  EXPECT_EQ(test::expect_no_findings(world.repository()).summary.packs_weak, 0U);
}

TEST(ParityUpkeep, ACollectionThatWasCutOffBeforeItRemovedWhatItPutTogetherAnewLosesNoParityInTheNext) {
  ParityWorld world;
  for (std::uint64_t day = 1; day <= 3; ++day) {
    world.write("file-" + std::to_string(day), day);
    world.backup();
  }
  std::vector<base::Bytes> old;
  for (const ObjectId& id : listed(world.store(), Kind::kParity)) {
    old.push_back(world.store().get(Kind::kParity, id, store::kNoLimit).value());
  }
  ASSERT_TRUE(test::gc(world.repository()).has_value());
  const auto merged = listed(world.store(), Kind::kParity);
  for (const base::Bytes& shard : old) {
    ASSERT_TRUE(world.store().put(Kind::kParity, crypto::sha256(shard), shard).has_value());
  }
  ASSERT_TRUE(test::gc(world.repository()).has_value());
  EXPECT_EQ(listed(world.store(), Kind::kParity), merged);
  EXPECT_EQ(test::expect_no_findings(world.repository()).summary.packs_unprotected, 0U);
}

TEST(ParityUpkeep, WhatACollectionTakesOutOfAGroupLeavesTheRestAsWellProtected) {
  ParityWorld world;
  world.write("a", 1);
  const ObjectId first = world.backup();
  for (std::uint64_t day = 2; day <= 4; ++day) {
    world.erase("a");
    world.write("file-" + std::to_string(day), day);
    world.backup();
  }
  ASSERT_TRUE(test::gc(world.repository()).has_value());
  ASSERT_TRUE(forget_snapshots(world.repository(), {first}).has_value());
  const auto summary = test::gc(world.repository());
  ASSERT_TRUE(summary.has_value()) << summary.error().text();
  ASSERT_GT(summary->packs_removed, 0U);
  const auto checked = test::expect_no_findings(world.repository());
  EXPECT_EQ(checked.summary.packs_unprotected, 0U);
  EXPECT_EQ(checked.summary.packs_weak, 0U);
}

TEST(ParityUpkeep, AGroupThatMayBringALostPackBackIsNeverTouched) {
  ParityWorld world;
  world.write("a", 1);
  world.backup();
  const ObjectId pack = listed(world.store(), Kind::kPack).front();
  ASSERT_TRUE(world.store().remove(Kind::kPack, pack).has_value());
  ASSERT_TRUE(test::gc(world.repository()).has_value());
  const auto parity = read_parity(world.store(), {}).value();
  EXPECT_TRUE(
      repair_objects(world.store(), parity, std::vector<ObjectName>{{Kind::kPack, pack}}, {}, {}, {}).value().empty());
  test::expect_no_findings(world.repository());
}

}  // namespace
}  // namespace kura::archive
