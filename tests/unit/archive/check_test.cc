// A check finds what is wrong, names it and who suffers, and finds nothing where all is well.
#include "archive/upkeep/check.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "archive/format/limits.h"
#include "archive/upkeep/forget.h"
#include "crypto/hash.h"
#include "support/archive/backup_world.h"
#include "support/archive/repository_builder.h"
#include "support/store/faulty_store.h"

namespace kura::archive {
namespace {

using base::ErrorCode;
using store::Kind;
using store::listed;
using store::ObjectId;
using test::BackupWorld;
using test::check;
using test::Checked;
using test::expect_no_findings;
using test::path_of;
using test::RepositoryBuilder;

// The three kinds of checks, from the least keys to the most.
std::vector<Repository> keyless_machine_and_recovery(const BackupWorld& world) {
  std::vector<Repository> all;
  all.push_back(world.open(world.repository().shared_store(), false));
  all.push_back(world.open(world.repository().shared_store()));
  all.push_back(world.unlocked(world.repository().shared_store()));
  return all;
}

const CheckFinding* finding(const Checked& checked, Kind kind, const ObjectId& id) {
  const auto found =
      std::ranges::find_if(checked.findings, [&](const auto& f) { return f.kind == kind && f.id == id; });
  return found == checked.findings.end() ? nullptr : &*found;
}

struct Filled : BackupWorld {
  Filled() {
    write("a", 1);
    write("folder/b", 2);
    first = backup();
    write("folder/c", 3);
    second = backup();
  }
  ObjectId first, second;
};

TEST(Check, FindsNothingInAWholeRepositoryWhateverTheKeys) {
  const Filled world;
  std::size_t round = 0;
  for (const Repository& repository : keyless_machine_and_recovery(world)) {
    const auto checked = expect_no_findings(repository);
    EXPECT_EQ(checked.summary.snapshots, 2U);
    EXPECT_EQ(checked.summary.packs, listed(world.store(), Kind::kPack).size());
    EXPECT_EQ(checked.summary.indexes, 2U);
    EXPECT_EQ(checked.summary.keys, 1U);
    EXPECT_GT(checked.summary.bytes_read, 600'000U);
    EXPECT_EQ(checked.summary.opened, round == 2);
    EXPECT_EQ(checked.summary.chunks_opened > 0, round == 2);
    ++round;
  }
}

TEST(Check, ReadsEachPackOnce) {
  const Filled world;
  base::Progress progress;
  const auto summary = run_check(world.repository(), {.threads = 2}, progress, {}, {});
  std::uint64_t stored = 0;
  for (const auto& pack : world.store().list(Kind::kPack).value()) stored += pack.size;
  EXPECT_EQ(progress.bytes_done, stored);
  EXPECT_EQ(progress.bytes_total, stored);
}

TEST(Check, NamesDamagedPacksAndTheSnapshotsThatNeedThem) {
  for (const std::size_t from_end : {0U, 1U, 2U}) {  // at the front (head), in a frame, at the end (footer)
    Filled world;
    const ObjectId pack = listed(world.store(), Kind::kPack).at(0);
    base::Bytes bytes = world.store().get(Kind::kPack, pack, kPackLimit).value();
    bytes[from_end == 0 ? 20 : from_end == 1 ? bytes.size() / 2 : bytes.size() - 20] ^= 4;
    world.disk().plant(path_of(Kind::kPack, pack), bytes);
    for (const Repository& repository : keyless_machine_and_recovery(world)) {
      const Checked checked = check(repository);
      ASSERT_EQ(checked.findings.size(), 1U) << checked.text();
      ASSERT_NE(finding(checked, Kind::kPack, pack), nullptr) << checked.text();
      EXPECT_FALSE(finding(checked, Kind::kPack, pack)->snapshots.empty());
      EXPECT_EQ(finding(checked, Kind::kPack, pack)->error.code(), ErrorCode::kDamaged);
    }
  }
}

TEST(Check, NamesMissingAndTruncatedPacks) {
  for (const bool truncated : {false, true}) {
    Filled world;
    const ObjectId pack = listed(world.store(), Kind::kPack).at(0);
    if (truncated) {
      base::Bytes bytes = world.store().get(Kind::kPack, pack, kPackLimit).value();
      bytes.resize(bytes.size() / 2);
      world.disk().plant(path_of(Kind::kPack, pack), bytes);
    } else {
      ASSERT_TRUE(world.store().remove(Kind::kPack, pack).has_value());
    }
    for (const Repository& repository : keyless_machine_and_recovery(world)) {
      for (const double share : {1.0, 0.0}) {  // that it is gone, or short, shows without reading
        const Checked checked = check(repository, {.read_data = share, .threads = 2});
        const CheckFinding* found = finding(checked, Kind::kPack, pack);
        ASSERT_NE(found, nullptr) << checked.text();
        EXPECT_FALSE(found->snapshots.empty());
        EXPECT_NE(found->error.message().find(pack.hex()), std::string::npos);
      }
    }
  }
}

TEST(Check, NamesMissingAndDamagedIndexes) {
  for (const bool missing : {false, true}) {
    Filled world;
    const ObjectId index = listed(world.store(), Kind::kIndex).at(0);
    if (missing) {
      ASSERT_TRUE(world.store().remove(Kind::kIndex, index).has_value());
    } else {
      base::Bytes bytes = world.store().get(Kind::kIndex, index, kIndexLimit).value();
      bytes.back() ^= 1;
      world.disk().plant(path_of(Kind::kIndex, index), bytes);
    }
    for (const Repository& repository : keyless_machine_and_recovery(world)) {
      const Checked checked = check(repository);
      ASSERT_EQ(checked.findings.size(), 1U) << checked.text();
      ASSERT_NE(finding(checked, Kind::kIndex, index), nullptr) << checked.text();
      EXPECT_FALSE(finding(checked, Kind::kIndex, index)->snapshots.empty());
    }
  }
}

TEST(Check, NamesDamagedSnapshotsAndKeys) {
  Filled world;
  base::Bytes bytes = world.store().get(Kind::kSnapshot, world.second, kSnapshotLimit).value();
  bytes[bytes.size() / 2] ^= 1;
  world.disk().plant(path_of(Kind::kSnapshot, world.second), bytes);
  const store::Sample key = store::sample(9, 100);
  ASSERT_TRUE(world.store().put(Kind::kKey, key.id, key.bytes).has_value());
  const Checked checked = check(world.repository());
  EXPECT_EQ(checked.findings.size(), 2U) << checked.text();
  EXPECT_NE(finding(checked, Kind::kSnapshot, world.second), nullptr);
  EXPECT_NE(finding(checked, Kind::kKey, key.id), nullptr);
}

TEST(Check, OrphansGapsAndWhatForgottenSnapshotsNeededAreNoDamage) {
  Filled world;
  const ObjectId third = world.backup();
  store::FaultyStore faulty(world.store());
  faulty.fail([](store::FaultyStore::Call call, Kind kind, const ObjectId&) {
    return call == store::FaultyStore::Call::kPut && kind == Kind::kIndex;
  });
  world.write("d", 4);
  EXPECT_FALSE(world.backup(world.open({std::shared_ptr<void>(), &faulty})).has_value());
  ASSERT_TRUE(forget_snapshots(world.repository(), {world.second}).has_value());
  ASSERT_TRUE(test::gc(world.repository()).has_value());
  for (const Repository& repository : keyless_machine_and_recovery(world)) {
    const auto checked = expect_no_findings(repository);
    EXPECT_GT(checked.summary.orphan_packs, 0U);
  }
  EXPECT_TRUE(world.store().stat(Kind::kSnapshot, third).has_value());
}

TEST(Check, AShareOfThePacksIsChosenByChance) {
  BackupWorld world;
  for (std::uint64_t i = 0; i < 8; ++i) {
    world.write("file", 10 + i, 100'000);
    world.backup();
  }
  std::uint64_t stored = 0;
  for (const auto& pack : world.store().list(Kind::kPack).value()) stored += pack.size;
  std::set<std::uint64_t> amounts;
  for (int round = 0; round < 5; ++round) {
    base::Progress progress;
    ASSERT_TRUE(run_check(world.open(world.repository().shared_store(), false), {.read_data = 0.25}, progress, {}, {}));
    EXPECT_GE(progress.bytes_done, stored / 4);
    EXPECT_LT(progress.bytes_done, stored / 4 + 110'000);
  }
}

TEST(Check, StopsWhenAsked) {
  const Filled world;
  std::stop_source stop;
  stop.request_stop();
  base::Progress progress;
  const auto summary = run_check(world.repository(), {}, progress, {}, stop.get_token());
  ASSERT_FALSE(summary.has_value());
  EXPECT_EQ(summary.error().code(), ErrorCode::kInterrupted);
}

TEST(Check, AStoreThatTakesNoLeaseIsCheckedAllTheSame) {
  const Filled world;
  store::FaultyStore read_only(world.store());
  read_only.fail(
      [](store::FaultyStore::Call call, Kind, const ObjectId&) { return call == store::FaultyStore::Call::kPut; },
      base::Error(ErrorCode::kDenied, "read-only"));
  EXPECT_EQ(check(world.open({std::shared_ptr<void>(), &read_only}, false)).findings.size(), 0U);
}

// A snapshot as the machine itself might write it if it were wrong.
ObjectId put_altered(const Repository& repository, const ObjectId& id, const std::function<void(Snapshot&)>& alter) {
  Snapshot snapshot = repository.snapshot(id).value().snapshot;
  alter(snapshot);
  return repository
      .put(Kind::kSnapshot, snapshot.encode(crypto::AeadKind::kChaCha20Poly1305, repository.write_secrets()->catalog,
                                            repository.machine()->signing_seed))
      .value();
}

TEST(Check, TellsAForkOfAMachinesHistory) {
  const Filled world;
  const ObjectId fork = put_altered(world.repository(), world.second, [](Snapshot& s) { s.started += 1; });
  const Checked checked = check(world.open(world.repository().shared_store(), false));
  ASSERT_EQ(checked.findings.size(), 1U) << checked.text();
  const auto& named = checked.findings[0].snapshots;
  EXPECT_EQ(std::set(named.begin(), named.end()), (std::set{world.second, fork}));
}

TEST(Check, TellsASnapshotThatDoesNotFollowTheOneBefore) {
  const Filled world;
  const ObjectId next = put_altered(world.repository(), world.second, [&](Snapshot& s) {
    s.number += 1;
    s.before = world.first;
  });
  const Checked checked = check(world.repository());
  ASSERT_EQ(checked.findings.size(), 1U) << checked.text();
  EXPECT_EQ(checked.findings[0].id, next);
}

TEST(Check, TellsASnapshotThatDoesNotNameThePacksItUses) {
  const Filled world;
  const ObjectId careless = put_altered(world.repository(), world.second, [&](Snapshot& s) {
    s.number += 1;
    s.before = world.second;
    s.needs.erase(s.needs.begin());
  });
  EXPECT_EQ(check(world.open(world.repository().shared_store(), false)).findings.size(), 0U);
  const Checked checked = check(world.repository());
  ASSERT_EQ(checked.findings.size(), 1U) << checked.text();
  EXPECT_EQ(checked.findings[0].id, careless);
}

TEST(Check, TellsASnapshotThatNeedsPacksBeyondItsIndex) {
  const Filled world;
  const ObjectId wrong = put_altered(world.repository(), world.second, [&](Snapshot& s) {
    s.number += 1;
    s.before = world.second;
    s.needs[0].add(900);
  });
  const Checked checked = check(world.open(world.repository().shared_store(), false));
  ASSERT_EQ(checked.findings.size(), 1U) << checked.text();
  EXPECT_EQ(checked.findings[0].id, wrong);
}

TEST(Check, TellsAnIndexThatDiffersFromTheFooters) {
  const Filled world;
  const ObjectId index_id = listed(world.store(), Kind::kIndex).at(0);
  Index index = world.repository().index(index_id).value();
  index.packs[0].record.frames[0].chunks[0].id = crypto::sha256(base::as_bytes("another"));
  const ObjectId lie =
      world.repository()
          .put(Kind::kIndex, index.encode(crypto::AeadKind::kAes256Gcm, world.repository().write_secrets()->catalog))
          .value();
  EXPECT_EQ(check(world.open(world.repository().shared_store(), false)).findings.size(), 0U);
  const Checked checked = check(world.open(world.repository().shared_store()));
  ASSERT_EQ(checked.findings.size(), 1U) << checked.text();
  EXPECT_EQ(checked.findings[0].id, lie);
}

TEST(Check, OpensEveryChunkAndFindsOneThatIsNotWhatItsIdSays) {
  RepositoryBuilder builder;
  const Entry good = builder.file("good", "what is said");
  const ChunkId lie = builder.id_of(Content::kFile, base::as_bytes("promised"));
  builder.add_as(lie, Content::kFile, "provided");
  Entry bad = builder.file("bad", "");
  bad.size = 8;
  bad.content.ids = {lie};
  const StoredSnapshot snapshot = builder.commit({bad, good});
  const Checked checked = check(builder.repository());
  ASSERT_EQ(checked.findings.size(), 1U) << checked.text();
  EXPECT_EQ(checked.findings[0].kind, Kind::kPack);
  EXPECT_EQ(checked.findings[0].snapshots, std::vector{snapshot.id});
}

TEST(Check, WalksEveryListingAndFindsFilesWhoseSizeOrChunksAreWrong) {
  RepositoryBuilder builder;
  Entry longer = builder.file("longer", "eight by");
  longer.size = 9;
  Entry lost = builder.file("lost", "some bytes");
  lost.content.ids[0] = builder.id_of(Content::kFile, base::as_bytes("never stored"));
  Entry sparse = builder.file("sparse", "12345678");
  sparse.size = 4096;
  sparse.extents = {{.gap = 4000, .size = 8}};
  Entry beyond = builder.file("beyond", "12345678");
  beyond.extents = {{.gap = 1, .size = 8}};
  const Entry folder = builder.folder("folder", {longer, lost, sparse});
  const Entry other = builder.folder("other", {beyond});
  const StoredSnapshot snapshot = builder.commit({folder, other});
  const Checked checked = check(builder.repository());
  ASSERT_EQ(checked.findings.size(), 3U) << checked.text();
  for (const CheckFinding& found : checked.findings) {
    EXPECT_EQ(found.kind, Kind::kSnapshot);
    EXPECT_EQ(found.id, snapshot.id);
  }
  EXPECT_NE(checked.text().find("/folder/longer"), std::string::npos) << checked.text();
  EXPECT_NE(checked.text().find("/folder/lost"), std::string::npos) << checked.text();
  EXPECT_NE(checked.text().find("/other"), std::string::npos) << checked.text();
}

TEST(Check, ADamagedListingIsNamedWithAllSnapshotsThatHaveIt) {
  RepositoryBuilder builder;
  Entry folder = builder.folder("folder", {builder.file("a", "a")});
  folder.content = builder.content(Content::kListing, "this is no listing");
  const StoredSnapshot one = builder.commit({folder});
  const StoredSnapshot two = builder.commit({builder.file("another", "file"), folder});
  const Checked checked = check(builder.repository());
  const auto found = std::ranges::find_if(
      checked.findings, [](const auto& f) { return f.error.message().find("/folder") != std::string::npos; });
  ASSERT_NE(found, checked.findings.end()) << checked.text();
  EXPECT_EQ(found->snapshots, (std::vector{one.id, two.id}));
}

}  // namespace
}  // namespace kura::archive
