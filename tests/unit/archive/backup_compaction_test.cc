// Which packs are rewritten, what is remembered for it, and that snapshots stay exact whatever is.
#include <functional>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "archive/backup/compaction.h"
#include "archive/backup/identifier.h"
#include "archive/backup/snapshot_lives.h"
#include "crypto/hash.h"
#include "support/archive/backup_world.h"

namespace kura::archive {
namespace {

constexpr std::int64_t kDayNs = 24 * test::kHourNs;
constexpr std::uint64_t kMega = 1'000'000;

PackState pack(std::uint64_t used_percent, std::int64_t held, std::int64_t wanted, std::uint64_t size = 32 * kMega) {
  const std::uint64_t used = size * used_percent / 100;
  return {.stored = size, .bytes = size, .used = used, .used_here = used, .held = held, .wanted = wanted};
}
bool is_chosen(const PackState& state) { return !choose_sparse(std::span(&state, 1), UINT64_MAX).empty(); }

TEST(CompactionRule, SparsePacksThatAreSoonFreeAreRewritten) {
  EXPECT_TRUE(is_chosen(pack(30, 20 * kDayNs, 365 * kDayNs)));
  EXPECT_FALSE(is_chosen(pack(99, 20 * kDayNs, 365 * kDayNs))) << "little to save";
  EXPECT_FALSE(is_chosen(pack(50, 300 * kDayNs, 365 * kDayNs))) << "paid for too long";
  EXPECT_FALSE(is_chosen(pack(1, 365 * kDayNs, 365 * kDayNs))) << "nothing to save";
}

TEST(CompactionRule, SmallPacksAreBroughtTogetherEvenWhenAllOfThemIsUsed) {
  EXPECT_TRUE(is_chosen(pack(100, 7 * kDayNs, 365 * kDayNs, 20'000)));
  EXPECT_FALSE(is_chosen(pack(100, 7 * kDayNs, 365 * kDayNs, 32 * kMega)));
}

RC_GTEST_PROP(CompactionRule, WhatIsSavedIsWellAboveWhatIsPaidAndTheLimitIsKept, ()) {
  const auto states = *rc::gen::container<std::vector<PackState>>(rc::gen::exec([] {
    return pack(*rc::gen::inRange<std::uint64_t>(0, 101), *rc::gen::inRange<std::int64_t>(0, 400) * kDayNs,
                *rc::gen::inRange<std::int64_t>(0, 400) * kDayNs, *rc::gen::inRange<std::uint64_t>(200, 32 * kMega));
  }));
  const auto limit = *rc::gen::inRange<std::uint64_t>(0, 100 * kMega);
  std::uint64_t bytes = 0;
  for (const std::size_t number : choose_sparse(states, limit)) {
    const PackState& state = states[number];
    bytes += state.used_here;
    RC_ASSERT(state.used > 0U);
    RC_ASSERT(state.wanted > state.held);
    const auto saved =
        static_cast<double>(state.stored + 65536 - state.used) * static_cast<double>(state.wanted - state.held);
    RC_ASSERT(saved * 1.001 >= 1.4 * static_cast<double>(state.used) * static_cast<double>(state.held));
  }
  RC_ASSERT(bytes <= limit);
}

// One snapshot a day at noon, of which day 0 is 2025-01-01; those that `keep` says are still there.
std::vector<SeenSnapshot> days(int count, const std::function<bool(int)>& keep) {
  constexpr std::int64_t kNewYear = 20'089 * kDayNs;
  std::vector<SeenSnapshot> seen;
  for (int day = 0; day < count; ++day) {
    if (keep(day)) seen.push_back({.number = std::uint64_t(day) + 1, .received = kNewYear + day * kDayNs + kDayNs / 2});
  }
  return seen;
}

TEST(SnapshotLives, WhereNothingIsForgottenEverySnapshotStaysAsLongAsTheFirstHas) {
  const auto seen = days(100, [](int) { return true; });
  const SnapshotLives lives(seen, seen.back().received + kDayNs);
  EXPECT_GE(lives.of_next(0), 98 * kDayNs);
  EXPECT_GE(lives.left(99), 97 * kDayNs);
}

TEST(SnapshotLives, WhereAWeekIsKeptASnapshotStaysAWeek) {
  const auto seen = days(100, [](int day) { return day >= 93; });
  const SnapshotLives lives(seen, seen.back().received + kDayNs);
  EXPECT_LE(lives.of_next(0), 8 * kDayNs);
  EXPECT_LE(lives.left(6), 7 * kDayNs);
}

TEST(SnapshotLives, FirstsOfAMonthStayWhereOldOnesAreThere) {
  // Days 0, 31 and 59 begin months; day 89 is 2025-03-31, so the next begins April.
  const auto seen = days(90, [](int day) { return day == 0 || day == 31 || day == 59 || day >= 83; });
  const SnapshotLives lives(seen, seen.back().received + kDayNs);
  EXPECT_GE(lives.of_next(0), 90 * kDayNs);
  EXPECT_LE(lives.left(seen.size() - 1), 30 * kDayNs) << "an ordinary day";
  EXPECT_GE(lives.left(2), 90 * kDayNs) << "the first of March";
}

TEST(SnapshotLives, ClocksThatJumpAreNoHarm) {
  const std::vector<SeenSnapshot> seen{{.received = INT64_MIN}, {.received = 0}, {.received = INT64_MAX}};
  for (const std::int64_t now : {INT64_MIN, std::int64_t{0}, INT64_MAX}) {
    const SnapshotLives lives(seen, now);
    EXPECT_GE(lives.of_next(0), 0);
    for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_GT(lives.left(i), 0);
  }
}

TEST(PackUses, ComeBackAndNoDamagedOrForeignFileIsBelieved) {
  const store::ObjectId config = crypto::sha256(base::as_bytes("config"));
  PackUses uses{.snapshot = crypto::sha256(base::as_bytes("snapshot")), .packs = {}};
  uses.packs.push_back({.pack = config, .used = 3, .bytes = 1000, .since = -7});
  const base::Bytes file = encode_pack_uses(uses, config);
  const auto back = decode_pack_uses(file, config);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->snapshot, uses.snapshot);
  ASSERT_EQ(back->packs.size(), 1U);
  EXPECT_EQ(back->packs[0].used, 3U);
  EXPECT_EQ(back->packs[0].since, -7);
  EXPECT_FALSE(decode_pack_uses(file, uses.snapshot).has_value());
  for (std::size_t at = 0; at < file.size(); ++at) {
    base::Bytes damaged = file;
    damaged[at] ^= 1;
    EXPECT_FALSE(decode_pack_uses(damaged, config).has_value()) << at;
    EXPECT_FALSE(decode_pack_uses(base::ByteSpan(file).first(at), config).has_value()) << at;
  }
}

ChunkIndex index_of(const std::vector<std::vector<ChunkId>>& packs) {
  Index index;
  for (const auto& chunks : packs) {
    FrameRecord frame{.sealed_size = 100, .compression = Compression::kNone, .chunks = {}};
    for (const ChunkId& id : chunks) frame.chunks.push_back({id, 10});
    index.packs.push_back({.id = crypto::sha256(base::as_bytes(std::to_string(index.packs.size()))),
                           .size = 1000,
                           .record = {.frames = {frame}}});
  }
  ChunkIndex known;
  known.add({}, index);
  known.finish();
  return known;
}
ChunkId id(int number) { return crypto::sha256(base::as_bytes("chunk " + std::to_string(number))); }

TEST(IdentifierRoles, ASparsePacksChunksAreStoredOnceAndThePackIsNotNeeded) {
  const ChunkIndex known = index_of({{id(1), id(2)}});
  Identifier identifier(known, {.roles = {PackRole::kSparse}, .limit = 100});
  EXPECT_FALSE(identifier.use(id(1)));
  EXPECT_TRUE(identifier.claim(id(1), 10));
  EXPECT_FALSE(identifier.claim(id(1), 10));
  EXPECT_TRUE(identifier.use(id(1)));
  EXPECT_TRUE(identifier.keep(id(1)));
  EXPECT_FALSE(identifier.needs(0));
  EXPECT_EQ(identifier.bytes_compacted(), 10U);
  EXPECT_EQ(identifier.packs_compacted(), 1U);
  EXPECT_TRUE(identifier.keep(id(2))) << "its file cannot be read";
  EXPECT_TRUE(identifier.needs(0));
  EXPECT_EQ(identifier.packs_compacted(), 0U);
}

TEST(IdentifierRoles, BeyondTheLimitSparsePacksAreLeanedOn) {
  const ChunkIndex known = index_of({{id(1), id(2)}});
  Identifier identifier(known, {.roles = {PackRole::kSparse}, .limit = 15});
  EXPECT_TRUE(identifier.claim(id(1), 10));
  EXPECT_FALSE(identifier.claim(id(2), 10));
  EXPECT_TRUE(identifier.use(id(2)));
  EXPECT_TRUE(identifier.needs(0));
  EXPECT_EQ(identifier.bytes_compacted(), 10U);
}

TEST(IdentifierRoles, OldCopiesThatNobodyUsesBringNoPackBack) {
  const ChunkIndex known = index_of({{id(1), id(3)}, {id(1), id(2)}, {id(2)}});
  Identifier identifier(known, {.roles = {PackRole::kIdle, PackRole::kSparse, PackRole::kInUse}, .limit = 100});
  EXPECT_TRUE(identifier.claim(id(1), 10)) << "not from the idle pack";
  EXPECT_FALSE(identifier.claim(id(2), 10)) << "it is in one in use";
  EXPECT_TRUE(identifier.needs(2));
  EXPECT_FALSE(identifier.needs(0) || identifier.needs(1));
  EXPECT_FALSE(identifier.claim(id(3), 10)) << "a file that came back";
  EXPECT_TRUE(identifier.needs(0));
  EXPECT_EQ(identifier.used(0), 10U);
}

}  // namespace
}  // namespace kura::archive
