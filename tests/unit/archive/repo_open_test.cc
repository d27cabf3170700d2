#include <algorithm>

#include <gtest/gtest.h>

#include "support/archive/format_samples.h"
#include "support/archive/repository_fixture.h"

namespace kura::archive {
namespace {

using base::ErrorCode;
using store::Kind;
using test::expect_error;

class OpenTest : public test::RepositoryFixture {
 protected:
  // A valid config of somebody else's.
  static store::ObjectId plant_config(const Repository& repository) {
    Config config = test::sample_config();
    return repository.put(Kind::kConfig, config.encode(test::kSigningSeed)).value();
  }
};

TEST_F(OpenTest, ANewRepositoryIsOpenAndUnlocked) {
  const auto repository = create();
  ASSERT_TRUE(repository) << repository.error().text();
  EXPECT_NE(repository->recovery_secrets(), nullptr);
  EXPECT_NE(repository->write_secrets(), nullptr);
  ASSERT_TRUE(repository->machine());
  const auto keys = repository->keys();
  ASSERT_TRUE(keys) << keys.error().text();
  EXPECT_EQ(keys->slots.size(), 1U);
  ASSERT_EQ(keys->machines.size(), 1U);
  EXPECT_EQ(keys->machines[0].certificate.label, "host");
  EXPECT_EQ(keys->machines[0].certificate.machine, repository->machine()->public_key());
  EXPECT_TRUE(keys->damaged.empty());
}

TEST_F(OpenTest, ARepositoryIsNotMadeTwice) {
  ASSERT_TRUE(create());
  expect_error(create(), ErrorCode::kExists, "already");
}

TEST_F(OpenTest, AnEmptyPassphraseIsRefusedAndNothingMade) {
  expect_error(create(""), ErrorCode::kUsage, "empty");
  EXPECT_TRUE(store()->list(Kind::kKey)->empty());
}

TEST_F(OpenTest, TheMachineWritesWithoutAPassphraseAndReadsNothing) {
  const auto made = create();
  const auto repository = open(state());
  ASSERT_TRUE(repository) << repository.error().text();
  const auto write = repository->need_write_secrets();
  ASSERT_TRUE(write) << write.error().text();
  EXPECT_TRUE(std::ranges::equal((*write)->catalog.span(), made->write_secrets()->catalog.span()));
  EXPECT_EQ((*write)->gear_table(repository->config().repository),
            made->write_secrets()->gear_table(made->config().repository));
  expect_error(repository->need_recovery_secrets(), ErrorCode::kWrongKey);
}

TEST_F(OpenTest, WithoutAKeyItOpensAndSaysWhatIsMissing) {
  ASSERT_TRUE(create());
  for (const std::string& state_folder : {std::string(), state("elsewhere")}) {
    const auto repository = open(state_folder);
    ASSERT_TRUE(repository) << repository.error().text();
    EXPECT_FALSE(repository->machine());
    expect_error(repository->need_write_secrets(), ErrorCode::kWrongKey, "no key");
  }
  EXPECT_FALSE(std::filesystem::exists(state("elsewhere"))) << "opening made a state folder";
}

TEST_F(OpenTest, AnEmptyStoreIsNoRepository) { expect_error(open(""), ErrorCode::kNotFound, "is not a repository"); }

TEST_F(OpenTest, ARemovedConfigIsDamageAndNotAnEmptyStore) {
  const auto made = create();
  ASSERT_TRUE(made->put(Kind::kSnapshot, base::as_bytes("any")));
  ASSERT_TRUE(store()->remove(Kind::kConfig, made->config_id()));
  expect_error(open(state()), ErrorCode::kDamaged, "config is gone");
}

TEST_F(OpenTest, KeysWithoutAConfigAreWhatWasNeverFinishedAndSayWhatToDo) {
  const auto made = create();
  ASSERT_TRUE(store()->remove(Kind::kConfig, made->config_id()));
  const auto unfinished = open(state());
  expect_error(unfinished, ErrorCode::kNotFound, "not a repository yet");
  EXPECT_TRUE(unfinished.error().hint().contains("kura copy")) << unfinished.error().hint();
  const auto again = create();
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(open(state())->config_id(), again->config_id());
}

TEST_F(OpenTest, ACopyThatWasCutShortBeforeItsKeysSaysWhatToDo) {
  const auto made = create();
  for (const store::ObjectInfo& key : store()->list(Kind::kKey).value()) {
    ASSERT_TRUE(store()->remove(Kind::kKey, key.id));
  }
  auto repository = open(state());
  ASSERT_TRUE(repository) << repository.error().text();
  const auto unlocked = repository->unlock_with_passphrase("right");
  expect_error(unlocked, ErrorCode::kNotFound, "no recovery key");
  EXPECT_TRUE(unlocked.error().hint().contains("kura copy")) << unlocked.error().hint();
}

TEST_F(OpenTest, ADamagedOrTruncatedConfigIsToldFromANewerOne) {
  const auto made = create();
  const std::string path = object_path(Kind::kConfig, made->config_id());
  const std::string whole = read(path);
  flip_byte(path, 50);
  expect_error(open(""), ErrorCode::kDamaged, made->config_id().hex());
  expect_error(open(state()), ErrorCode::kDamaged, made->config_id().hex());
  write(path, whole.substr(0, 60));
  expect_error(open(""), ErrorCode::kDamaged);
  std::filesystem::remove(path);
  base::Bytes newer(whole.begin(), whole.end());
  newer[8] = 3;
  ASSERT_TRUE(made->put(Kind::kConfig, newer));
  expect_error(open(""), ErrorCode::kUnsupported, "version 3");
}

TEST_F(OpenTest, AConfigPlantedBesideMisleadsNoMachineAndAKeylessReaderIsToldOfBoth) {
  const auto made = create();
  const store::ObjectId planted = plant_config(*made);
  const auto machine = open(state());
  ASSERT_TRUE(machine) << machine.error().text();
  EXPECT_EQ(machine->config_id(), made->config_id());
  const auto keyless = open("");
  expect_error(keyless, ErrorCode::kDamaged, planted.hex());
  expect_error(keyless, ErrorCode::kDamaged, made->config_id().hex());
  const auto named = Repository::open(store(), "", made->config_id());
  ASSERT_TRUE(named) << named.error().text();
  EXPECT_EQ(named->config_id(), made->config_id());
}

TEST_F(OpenTest, ThePassphraseTellsTheConfigInForce) {
  const auto made = create();
  const store::ObjectId planted = plant_config(*made);
  // With a slot of its own, under a passphrase that its owner knows.
  ASSERT_TRUE(made->put(
      Kind::kKey,
      RecoverySlot::seal(planted, 1, "planted", test::kRecovery, "theirs", {.passes = 1, .memory_kib = 8}).value()));
  EXPECT_EQ(Repository::whole_configs(*store())->size(), 2U);
  const auto opened = Repository::open_with_passphrase(store(), "", "right");
  ASSERT_TRUE(opened) << opened.error().text();
  EXPECT_EQ(opened->config_id(), made->config_id());
  EXPECT_NE(opened->recovery_secrets(), nullptr);
  expect_error(Repository::open_with_passphrase(store(), "", "wrong"), ErrorCode::kWrongKey, "none of them");
}

TEST_F(OpenTest, AConfigThatIsNotThereIsNotReplacedByAnother) {
  ASSERT_TRUE(create());
  expect_error(Repository::open(store(), "", test::digest_of(7)), ErrorCode::kWrongKey, "is not the repository");
}

TEST_F(OpenTest, ADamagedObjectBesideTheConfigDoesNoHarm) {
  const auto made = create();
  ASSERT_TRUE(made->put(Kind::kConfig, base::as_bytes("garbage")));
  const auto repository = open("");
  ASSERT_TRUE(repository) << repository.error().text();
  EXPECT_EQ(repository->config_id(), made->config_id());
}

TEST_F(OpenTest, AStateFolderThatKnowsBothOfTwoConfigsIsNoAnswer) {
  const auto made = create();
  ASSERT_TRUE(MachineState::open(state(), plant_config(*made), /*create=*/true));
  expect_error(open(state()), ErrorCode::kDamaged, "nothing says");
}

TEST_F(OpenTest, AMachineKeyThatIsDamagedStopsBackupsAndNotRestores) {
  const auto made = create();
  flip_byte(machine_key_path(*made), 200);
  auto repository = open(state());
  ASSERT_TRUE(repository) << repository.error().text();
  expect_error(repository->need_write_secrets(), ErrorCode::kDamaged, "machine.key");
  EXPECT_TRUE(repository->unlock_with_passphrase("right"));
}

TEST_F(OpenTest, AMachineKeyOfAnotherRepositoryIsFound) {
  const auto made = create();
  const MachineKey key{.config = made->config_id(), .write = test::key_of(1), .signing_seed = test::key_of(2)};
  std::filesystem::remove(machine_key_path(*made));
  ASSERT_TRUE(made->machine_state()->save_key(key));
  auto repository = open(state());
  ASSERT_TRUE(repository && repository->machine());
  ASSERT_TRUE(repository->unlock_with_passphrase("right"));
  EXPECT_FALSE(repository->machine()) << "its write secret is not this repository's";
  EXPECT_TRUE(std::ranges::equal(repository->write_secrets()->write.span(), made->write_secrets()->write.span()));
}

}  // namespace
}  // namespace kura::archive
