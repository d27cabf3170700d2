#include <algorithm>
#include <chrono>

#include <gtest/gtest.h>

#include "support/archive/format_samples.h"
#include "support/archive/repository_fixture.h"

namespace kura::archive {
namespace {

using base::ErrorCode;
using store::Kind;
using test::expect_error;

class SnapshotsTest : public test::RepositoryFixture {
 protected:
  void SetUp() override { made_.emplace(create(std::nullopt).value()); }

  Snapshot snapshot(std::uint64_t number, Verdict verdict = Verdict::kUnjudged) const {
    Snapshot snapshot = test::sample_snapshot();
    snapshot.repository = made_->config().repository;
    snapshot.machine = made_->machine()->public_key();
    snapshot.number = number;
    snapshot.before = number == 1 ? store::ObjectId{} : test::digest_of(1);
    snapshot.label->verdict = verdict;
    return snapshot;
  }
  store::ObjectId put(const Snapshot& snapshot) const { return put(snapshot, made_->machine()->signing_seed); }
  store::ObjectId put(const Snapshot& snapshot, const base::Key& seed) const {
    const base::Bytes object = snapshot.encode(crypto::AeadKind::kAes256Gcm, made_->write_secrets()->catalog, seed);
    return made_->put(Kind::kSnapshot, object).value();
  }
  // When the store received it, in seconds.
  void set_received(const store::ObjectId& id, std::int64_t seconds) const {
    std::filesystem::last_write_time(
        object_path(Kind::kSnapshot, id),
        std::filesystem::file_time_type::clock::from_sys(
            std::chrono::sys_time<std::chrono::nanoseconds>(std::chrono::seconds(seconds))));
  }
  std::string cache_path() const { return state() + "/" + made_->config_id().hex() + "/snapshots.cache"; }
  SnapshotList listed() const { return open(state())->snapshots().value(); }

  std::optional<Repository> made_;
};

TEST_F(SnapshotsTest, AreListedInTheOrderReceivedWhateverTheirNumbersSay) {
  const store::ObjectId late = put(snapshot(1));
  const store::ObjectId early = put(snapshot(5));
  set_received(late, 2000);
  set_received(early, 1000);
  const SnapshotList list = listed();
  ASSERT_EQ(list.snapshots.size(), 2U);
  EXPECT_EQ(list.snapshots[0].id, early);
  EXPECT_EQ(list.snapshots[1].id, late);
  EXPECT_EQ(list.snapshots[1].received, 2000 * std::int64_t{1'000'000'000});
  EXPECT_EQ(list.snapshots[0].snapshot.label->host, "host");
  EXPECT_TRUE(list.damaged.empty());
}

TEST_F(SnapshotsTest, AreListedWithoutAKeyButWithoutLabels) {
  const store::ObjectId id = put(snapshot(1));
  const auto keyless = open("");
  const auto list = keyless->snapshots();
  ASSERT_TRUE(list) << list.error().text();
  ASSERT_EQ(list->snapshots.size(), 1U);
  EXPECT_FALSE(list->snapshots[0].snapshot.label);
  expect_error(find_snapshot(*list, "clean"), ErrorCode::kWrongKey);
  EXPECT_EQ(find_snapshot(*list, "latest")->id, id);
}

TEST_F(SnapshotsTest, OfAMachineWithoutACertificateDoNotCount) {
  Snapshot forged = snapshot(1);
  forged.machine = crypto::ed25519_public(test::kMachineSeed);
  const store::ObjectId id = put(forged, test::kMachineSeed);
  const SnapshotList list = listed();
  EXPECT_TRUE(list.snapshots.empty());
  ASSERT_EQ(list.damaged.size(), 1U);
  EXPECT_EQ(list.damaged[0].id, id);
  EXPECT_TRUE(list.damaged[0].error.message().contains("machine without a certificate"));
  expect_error(made_->snapshot(id), ErrorCode::kDamaged, "without a certificate");
}

TEST_F(SnapshotsTest, OfAnotherRepositoryDoNotCount) {
  Snapshot other = snapshot(1);
  other.repository[0] ^= 1;
  put(other);
  ASSERT_EQ(listed().damaged.size(), 1U);
  EXPECT_TRUE(listed().damaged[0].error.message().contains("another repository"));
}

TEST_F(SnapshotsTest, ThatAreDamagedAreNamedAndHideNoOthers) {
  const store::ObjectId whole = put(snapshot(1));
  const store::ObjectId flipped = put(snapshot(2));
  const store::ObjectId truncated = put(snapshot(3));
  flip_byte(object_path(Kind::kSnapshot, flipped), 100);
  const std::string path = object_path(Kind::kSnapshot, truncated);
  write(path, read(path).substr(0, 100));
  const SnapshotList list = listed();
  ASSERT_EQ(list.snapshots.size(), 1U);
  EXPECT_EQ(list.snapshots[0].id, whole);
  ASSERT_EQ(list.damaged.size(), 2U);
  for (const DamagedObject& damaged : list.damaged) {
    EXPECT_EQ(damaged.error.code(), ErrorCode::kDamaged);
    EXPECT_TRUE(damaged.error.message().contains(damaged.id.hex())) << damaged.error.text();
  }
  expect_error(find_snapshot(list, flipped.hex().substr(0, 8)), ErrorCode::kDamaged, flipped.hex());
}

TEST_F(SnapshotsTest, ManyAreListedInOneGo) {
  constexpr int kMany = 300;
  for (int i = 1; i <= kMany; ++i) put(snapshot(static_cast<std::uint64_t>(i)));
  const SnapshotList list = listed();
  EXPECT_EQ(list.snapshots.size(), static_cast<std::size_t>(kMany));
  EXPECT_TRUE(std::ranges::is_sorted(list.snapshots, {}, &StoredSnapshot::received));
}

TEST_F(SnapshotsTest, OnceProvenAreTakenFromTheMachinesStateUntilEachIsToBeProvenAnew) {
  const store::ObjectId id = put(snapshot(1, Verdict::kClean));
  const Snapshot first = listed().snapshots.at(0).snapshot;
  EXPECT_EQ(std::filesystem::status(cache_path()).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  flip_byte(object_path(Kind::kSnapshot, id), 100);
  const SnapshotList known = listed();
  ASSERT_EQ(known.snapshots.size(), 1U);
  EXPECT_EQ(known.snapshots[0].snapshot.label, first.label);
  EXPECT_EQ(known.snapshots[0].snapshot.needs, first.needs);
  EXPECT_EQ(known.snapshots[0].snapshot.started, first.started);
  EXPECT_EQ(open(state())->snapshots(Repository::Proof::kAnew)->damaged.size(), 1U);
}

TEST_F(SnapshotsTest, OfARemovedCertificateDoNotCountHoweverWellTheyAreKnown) {
  put(snapshot(1));
  ASSERT_EQ(listed().snapshots.size(), 1U);
  for (const KeyList::Machine& machine : made_->keys()->machines) {
    ASSERT_TRUE(made_->store().remove(Kind::kKey, machine.id));
  }
  const SnapshotList list = listed();
  EXPECT_TRUE(list.snapshots.empty());
  ASSERT_EQ(list.damaged.size(), 1U);
  EXPECT_TRUE(list.damaged[0].error.message().contains("machine without a certificate"));
}

TEST_F(SnapshotsTest, ThatAreGoneOrOfAnotherSizeAreNotTakenFromTheMachinesState) {
  const store::ObjectId gone = put(snapshot(1)), cut = put(snapshot(2)), whole = put(snapshot(3));
  ASSERT_EQ(listed().snapshots.size(), 3U);
  std::filesystem::remove(object_path(Kind::kSnapshot, gone));
  const std::string path = object_path(Kind::kSnapshot, cut);
  write(path, read(path).substr(0, 100));
  const SnapshotList list = listed();
  ASSERT_EQ(list.snapshots.size(), 1U);
  EXPECT_EQ(list.snapshots[0].id, whole);
  ASSERT_EQ(list.damaged.size(), 1U);
  EXPECT_EQ(list.damaged[0].id, cut);
}

TEST_F(SnapshotsTest, AreProvenAgainWhereWhatIsKnownOfThemIsDamaged) {
  put(snapshot(1));
  put(snapshot(2));
  listed();
  const std::string good = read(cache_path());
  for (std::size_t at = 0; at < good.size(); at += 37) {
    flip_byte(cache_path(), at);
    ASSERT_EQ(listed().snapshots.size(), 2U);
    ASSERT_EQ(read(cache_path()), good) << "byte " << at;  // written anew
    write(cache_path(), good.substr(0, at));
    ASSERT_EQ(listed().snapshots.size(), 2U);
  }
  std::filesystem::remove(cache_path());
  std::filesystem::create_directory(cache_path());  // cannot be written
  EXPECT_EQ(listed().snapshots.size(), 2U);
}

TEST_F(SnapshotsTest, ShowNoLabelsFromTheMachinesStateWithoutItsKey) {
  put(snapshot(1));
  listed();
  std::filesystem::remove(machine_key_path(*made_));
  const SnapshotList list = listed();
  ASSERT_EQ(list.snapshots.size(), 1U);
  EXPECT_FALSE(list.snapshots[0].snapshot.label);
}

TEST_F(SnapshotsTest, AreFoundByAPrefixOfTheirId) {
  const store::ObjectId id = put(snapshot(1));
  const SnapshotList list = listed();
  EXPECT_EQ(find_snapshot(list, id.hex())->id, id);
  EXPECT_EQ(find_snapshot(list, id.hex().substr(0, 4))->id, id);
  expect_error(find_snapshot(list, id.hex().substr(0, 3)), ErrorCode::kUsage);
  expect_error(find_snapshot(list, "../x"), ErrorCode::kUsage);
  expect_error(find_snapshot(list, ""), ErrorCode::kUsage);
  std::string other = id.hex();
  other[0] = other[0] == '0' ? '1' : '0';
  expect_error(find_snapshot(list, other), ErrorCode::kNotFound, id.hex().substr(0, 16));
}

TEST_F(SnapshotsTest, AnAmbiguousPrefixNamesTheCandidates) {
  SnapshotList list;
  for (const std::uint8_t last : {std::uint8_t{1}, std::uint8_t{2}}) {
    StoredSnapshot at{.id = test::digest_of(0xab), .received = 0, .snapshot = snapshot(1)};
    at.id.bytes[4] = last;
    list.snapshots.push_back(at);
  }
  expect_error(find_snapshot(list, "ABABABAB"), ErrorCode::kUsage, "abababab01");
  expect_error(find_snapshot(list, "abababab"), ErrorCode::kUsage, "abababab02");
  EXPECT_TRUE(find_snapshot(list, "abababab02"));
}

TEST_F(SnapshotsTest, CleanIsTheLastReceivedWithThatVerdict) {
  expect_error(find_snapshot(listed(), "latest"), ErrorCode::kNotFound, "no snapshots yet");
  const store::ObjectId first = put(snapshot(1, Verdict::kClean));
  const store::ObjectId second = put(snapshot(2, Verdict::kClean));
  const store::ObjectId third = put(snapshot(3, Verdict::kAttacked));
  set_received(second, 1000);
  set_received(first, 2000);
  set_received(third, 3000);
  EXPECT_EQ(find_snapshot(listed(), "clean")->id, first);
  EXPECT_EQ(find_snapshot(listed(), "latest")->id, third);
}

TEST_F(SnapshotsTest, IndexesOfAnotherRepositoryAreRefused) {
  Index index = test::sample_index();
  const base::Key& catalog = made_->write_secrets()->catalog;
  const auto foreign = made_->put(Kind::kIndex, index.encode(crypto::AeadKind::kAes256Gcm, catalog)).value();
  expect_error(made_->index(foreign), ErrorCode::kDamaged, "another repository");
  index.repository = made_->config().repository;
  const auto own = made_->put(Kind::kIndex, index.encode(crypto::AeadKind::kAes256Gcm, catalog)).value();
  EXPECT_EQ(made_->index(own)->packs[0].record, test::sample_record());
  EXPECT_TRUE(open("")->index(own)->packs[0].record.frames.empty());
}

}  // namespace
}  // namespace kura::archive
