// Changing keys: at every moment at least one passphrase opens the repository.
#include "archive/upkeep/key_change.h"

#include <gtest/gtest.h>

#include "archive/upkeep/forget.h"
#include "archive/upkeep/stats.h"
#include "support/archive/backup_world.h"
#include "support/archive/format_samples.h"
#include "support/store/faulty_store.h"

namespace kura::archive {
namespace {

using base::ErrorCode;
using store::FaultyStore;
using store::Kind;
using store::ObjectId;
using test::BackupWorld;
using test::kCheapPassphrase;
using test::store_on;

bool opens(const BackupWorld& world, std::shared_ptr<store::Store> store, std::string_view passphrase) {
  return world.open(std::move(store), false).unlock_with_passphrase(passphrase).has_value();
}

TEST(KeyChange, ANewSlotOpensBesideTheOldOne) {
  const BackupWorld world("old one");
  ASSERT_TRUE(add_recovery_slot(world.repository(), "safe", "second one", kCheapPassphrase).has_value());
  EXPECT_TRUE(opens(world, world.repository().shared_store(), "old one"));
  EXPECT_TRUE(opens(world, world.repository().shared_store(), "second one"));
  EXPECT_EQ(world.repository().keys()->slots.at(1).slot.label, "safe");
}

TEST(KeyChange, AChangedPassphraseReplacesTheOldOne) {
  const BackupWorld world("old one");
  const auto wrong = change_passphrase(world.repository(), "guessed", "new one", kCheapPassphrase);
  ASSERT_FALSE(wrong.has_value());
  EXPECT_EQ(wrong.error().code(), ErrorCode::kWrongKey);
  EXPECT_EQ(wrong.error().text().find("guessed"), std::string::npos);
  ASSERT_TRUE(change_passphrase(world.repository(), "old one", "new one", kCheapPassphrase).has_value());
  EXPECT_FALSE(opens(world, world.repository().shared_store(), "old one"));
  EXPECT_TRUE(opens(world, world.repository().shared_store(), "new one"));
  EXPECT_EQ(world.repository().keys()->slots.size(), 1U);
}

TEST(KeyChange, TheSamePassphraseAgainIsNoLoss) {
  const BackupWorld world("the one");
  ASSERT_TRUE(change_passphrase(world.repository(), "the one", "the one", kCheapPassphrase).has_value());
  EXPECT_TRUE(opens(world, world.repository().shared_store(), "the one"));
}

TEST(KeyChange, WhereverTheChangeIsCutOffOnePassphraseOpens) {
  BackupWorld world("old one");
  bool failed = true;
  for (std::size_t n = 0; failed; ++n) {
    const auto disk = world.copy_of_disk();
    const auto real = store_on(*disk);
    FaultyStore store(*real);
    std::size_t changes = 0;  // from the n-th on the power is gone
    store.fail([&](FaultyStore::Call call, Kind, const ObjectId&) {
      const bool changing =
          call == FaultyStore::Call::kPut || call == FaultyStore::Call::kRemove || call == FaultyStore::Call::kSync;
      return changing && changes++ >= n;
    });
    failed =
        !change_passphrase(world.unlocked({std::shared_ptr<void>(), &store}), "old one", "new one", kCheapPassphrase)
             .has_value();
    const auto after = disk->crash(n);
    EXPECT_TRUE(opens(world, store_on(*after), "old one") || opens(world, store_on(*after), "new one")) << "at " << n;
  }
}

TEST(KeyChange, TheLastRecoverySlotGoesOnlyByForce) {
  const BackupWorld world("old one");
  const std::string id = world.repository().keys()->slots.at(0).id.hex();
  const auto refused = remove_key(world.repository(), id.substr(0, 8), false);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::kConflict);
  EXPECT_TRUE(opens(world, world.repository().shared_store(), "old one"));
  ASSERT_TRUE(remove_key(world.repository(), id.substr(0, 8), true).has_value());
  EXPECT_FALSE(opens(world, world.repository().shared_store(), "old one"));
}

TEST(KeyChange, ARemovedKeyIsTheOneThatWasNamed) {
  const BackupWorld world;
  EXPECT_EQ(remove_key(world.repository(), "abc", false).error().code(), ErrorCode::kUsage);
  std::string unknown = world.repository().keys()->machines.at(0).id.hex();
  unknown[0] = unknown[0] == '0' ? '1' : '0';
  EXPECT_EQ(remove_key(world.repository(), unknown, false).error().code(), ErrorCode::kNotFound);
  const auto removed = remove_key(world.repository(), world.repository().keys()->machines.at(0).id.hex(), false);
  ASSERT_TRUE(removed.has_value());
  EXPECT_TRUE(world.repository().keys()->machines.empty());
}

TEST(KeyChange, AMachineThatHasSignedSnapshotsGoesOnlyByForce) {
  BackupWorld world;
  world.write("a", 1);
  world.backup();
  const ObjectId newest = world.backup();
  const std::string id = world.repository().keys()->machines.at(0).id.hex();
  const auto refused = remove_key(world.repository(), id, false);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), ErrorCode::kConflict);
  EXPECT_TRUE(refused.error().message().contains("2 of host host")) << refused.error().text();
  EXPECT_TRUE(refused.error().message().contains(newest.hex())) << refused.error().text();
  EXPECT_TRUE(refused.error().hint().contains("--force")) << refused.error().text();
  EXPECT_EQ(world.repository().snapshots()->snapshots.size(), 2U);
  ASSERT_TRUE(remove_key(world.repository(), id, true).has_value());
  EXPECT_EQ(world.repository().snapshots()->snapshots.size(), 0U);
}

TEST(KeyChange, ASecondCertificateOfTheSameKeyMayGo) {
  BackupWorld world;
  world.write("a", 1);
  world.backup();
  MachineCertificate again = world.repository().keys()->machines.at(0).certificate;
  again.label = "again";
  const base::Bytes object = again.encode(world.repository().recovery_secrets()->signing);
  const ObjectId id = world.repository().put(Kind::kKey, object).value();
  ASSERT_TRUE(remove_key(world.repository(), id.hex(), false).has_value());
  EXPECT_EQ(world.repository().snapshots()->snapshots.size(), 1U);
}

TEST(KeyChange, AKeyWhoseCertificateIsGoneIsReplacedAndNoOther) {
  BackupWorld world;
  world.write("a", 1);
  world.backup();
  const auto key_in_state = [&] {
    return MachineState::open(world.state(), world.repository().config_id(), false)->load_key()->public_key();
  };
  const crypto::PublicKey old = key_in_state();
  const KeyList::Machine first = world.repository().keys()->machines.at(0);
  const auto kept = add_machine(world.repository(), world.state(), "new");
  test::expect_error(kept, ErrorCode::kExists, first.id.hex());

  // A key object that cannot be read may be its certificate.
  const base::Bytes certificate = world.store().get(Kind::kKey, first.id, 4096).value();
  world.disk().plant(test::path_of(Kind::kKey, first.id), base::as_bytes("damage"));
  test::expect_error(add_machine(world.repository(), world.state(), "new"), ErrorCode::kDamaged, first.id.hex());
  EXPECT_EQ(key_in_state(), old);
  world.disk().plant(test::path_of(Kind::kKey, first.id), certificate);

  ASSERT_TRUE(remove_key(world.repository(), first.id.hex(), true).has_value());
  const auto added = add_machine(world.repository(), world.state(), "new");
  ASSERT_TRUE(added.has_value()) << added.error().text();
  EXPECT_NE(key_in_state(), old);
  const Repository machine = world.open(world.repository().shared_store());
  EXPECT_TRUE(world.backup(machine).has_value());
  EXPECT_EQ(machine.snapshots()->snapshots.size(), 1U);
}

TEST(KeyChange, TheExportedKeyFileOpensTheRepository) {
  const BackupWorld world;
  const std::string text = export_recovery_key(world.repository()).value();
  Repository locked = world.open(world.repository().shared_store(), false);
  EXPECT_EQ(export_recovery_key(locked).error().code(), ErrorCode::kWrongKey);
  ASSERT_TRUE(locked.unlock_with_key_file(text).has_value());
}

TEST(KeyChange, AMachineThatLostItsKeyGetsAnotherAndGoesOn) {
  BackupWorld world;
  world.write("a", 1);
  world.backup();
  EXPECT_EQ(add_machine(world.repository(), world.state(), "again").error().code(), ErrorCode::kExists);
  std::filesystem::remove_all(world.state());
  Repository found = world.open(world.repository().shared_store());
  ASSERT_TRUE(found.unlock(world.repository().recovery_secrets()->recovery).has_value());
  ASSERT_TRUE(add_machine(found, world.state(), "again").has_value());
  world.write("b", 2);
  ASSERT_TRUE(world.backup(world.open(world.repository().shared_store())).has_value());
  EXPECT_EQ(world.repository().keys()->machines.size(), 2U);
  const auto checked = test::expect_no_findings(world.repository());
  EXPECT_EQ(checked.summary.snapshots, 2U);
}

TEST(KeyChange, NeedsTheRecoveryKey) {
  const BackupWorld world("old one");
  const Repository machine = world.open(world.repository().shared_store());
  EXPECT_EQ(add_recovery_slot(machine, "x", "y").error().code(), ErrorCode::kWrongKey);
  EXPECT_EQ(change_passphrase(machine, "old one", "y").error().code(), ErrorCode::kWrongKey);
  EXPECT_EQ(add_machine(machine, world.state() + "2", "y").error().code(), ErrorCode::kWrongKey);
  EXPECT_EQ(add_recovery_slot(world.repository(), std::string(256, 'x'), "y").error().code(), ErrorCode::kUsage);
  EXPECT_EQ(add_recovery_slot(world.repository(), "x", "").error().code(), ErrorCode::kUsage);
}

TEST(Stats, TellAsMuchAsTheKeysDo) {
  BackupWorld world;
  world.write("a", 1, 300'000);
  const ObjectId first = world.backup();
  world.write("a", 2, 300'000);
  world.backup();
  const Stats keyless = collect_stats(world.open(world.repository().shared_store(), false)).value();
  EXPECT_EQ(keyless.snapshots, 2U);
  EXPECT_EQ(keyless.indexes, 2U);
  EXPECT_GT(keyless.pack_bytes, 600'000U);
  EXPECT_EQ(keyless.packs_unused, 0U);
  EXPECT_FALSE(keyless.chunks || keyless.chunk_bytes || keyless.logical_bytes);
  const Stats machine = collect_stats(world.open(world.repository().shared_store())).value();
  EXPECT_EQ(machine.logical_bytes, 600'000U);
  EXPECT_GT(machine.chunks.value(), 2U);
  EXPECT_GT(machine.chunk_bytes.value(), 600'000U);
  ASSERT_TRUE(forget_snapshots(world.repository(), {first}).has_value());
  EXPECT_GT(collect_stats(world.repository())->bytes_unused, 300'000U);
}

TEST(Forget, RemovesNothingWhenOneIsNotThere) {
  BackupWorld world;
  world.write("a", 1);
  const ObjectId first = world.backup();
  const auto status = forget_snapshots(world.repository(), {first, store::sample(1).id});
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(world.store().stat(Kind::kSnapshot, first).has_value());
}

}  // namespace
}  // namespace kura::archive
