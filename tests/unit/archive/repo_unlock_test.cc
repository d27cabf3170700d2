#include <algorithm>

#include <gtest/gtest.h>

#include "support/archive/format_samples.h"
#include "support/archive/repository_fixture.h"

namespace kura::archive {
namespace {

using base::ErrorCode;
using store::Kind;
using test::expect_error;

class UnlockTest : public test::RepositoryFixture {
 protected:
  void SetUp() override { made_.emplace(create().value()); }
  Repository keyless() const { return open("").value(); }
  std::string key_file() const {
    return RecoveryKeyFile{.config = made_->config_id(), .recovery = made_->recovery_secrets()->recovery}.encode();
  }
  store::ObjectId add_slot(const base::Key& recovery, std::string_view passphrase) const {
    return made_
        ->put(Kind::kKey,
              RecoverySlot::seal(made_->config_id(), 1, "", recovery, passphrase, test::kCheapPassphrase).value())
        .value();
  }
  void expect_opens_everything(const Repository& repository) const {
    ASSERT_NE(repository.recovery_secrets(), nullptr);
    EXPECT_TRUE(std::ranges::equal(repository.recovery_secrets()->box.span(), made_->recovery_secrets()->box.span()));
    EXPECT_NE(repository.write_secrets(), nullptr);
  }
  std::optional<Repository> made_;
};

TEST_F(UnlockTest, TheRightPassphraseOpensEverything) {
  Repository repository = keyless();
  const auto status = repository.unlock_with_passphrase("right");
  ASSERT_TRUE(status) << status.error().text();
  expect_opens_everything(repository);
}

TEST_F(UnlockTest, AWrongPassphraseOpensNothing) {
  Repository repository = keyless();
  expect_error(repository.unlock_with_passphrase("wrong"), ErrorCode::kWrongKey, "passphrase");
  expect_error(repository.unlock_with_passphrase(""), ErrorCode::kWrongKey);
  EXPECT_EQ(repository.recovery_secrets(), nullptr);
  EXPECT_EQ(repository.write_secrets(), nullptr);
}

TEST_F(UnlockTest, EachOfSeveralPassphrasesOpens) {
  add_slot(made_->recovery_secrets()->recovery, "second");
  for (const std::string_view passphrase : {"right", "second"}) {
    Repository repository = keyless();
    const auto status = repository.unlock_with_passphrase(passphrase);
    ASSERT_TRUE(status) << status.error().text();
    expect_opens_everything(repository);
  }
}

TEST_F(UnlockTest, ASlotThatSomebodyPlantedUnlocksNothingAndHindersNobody) {
  add_slot(test::key_of(1), "planted");
  Repository repository = keyless();
  expect_error(repository.unlock_with_passphrase("planted"), ErrorCode::kWrongKey);
  EXPECT_EQ(repository.recovery_secrets(), nullptr);
  EXPECT_TRUE(repository.unlock_with_passphrase("right"));
}

TEST_F(UnlockTest, TheKeyFileOpensEverything) {
  Repository repository = keyless();
  const auto status = repository.unlock_with_key_file(key_file());
  ASSERT_TRUE(status) << status.error().text();
  expect_opens_everything(repository);
}

TEST_F(UnlockTest, AKeyFileOfAnotherRepositoryOrWithAnotherKeyOpensNothing) {
  Repository repository = keyless();
  const RecoveryKeyFile elsewhere{.config = test::digest_of(1), .recovery = made_->recovery_secrets()->recovery};
  expect_error(repository.unlock_with_key_file(elsewhere.encode()), ErrorCode::kWrongKey, "another repository");
  const RecoveryKeyFile other{.config = made_->config_id(), .recovery = test::key_of(1)};
  expect_error(repository.unlock_with_key_file(other.encode()), ErrorCode::kWrongKey, "does not belong");
  expect_error(repository.unlock_with_key_file("nonsense"), ErrorCode::kDamaged);
  EXPECT_EQ(repository.recovery_secrets(), nullptr);
}

TEST_F(UnlockTest, WithoutASlotItSaysThatTheKeyFileIsNeeded) {
  ASSERT_TRUE(store()->remove(Kind::kKey, made_->keys()->slots.at(0).id));
  Repository repository = keyless();
  expect_error(repository.unlock_with_passphrase("right"), ErrorCode::kNotFound, "keeps no recovery key");
  EXPECT_TRUE(repository.unlock_with_key_file(key_file()));
}

TEST_F(UnlockTest, ADamagedSlotIsNamed) {
  const store::ObjectId id = made_->keys()->slots.at(0).id;
  flip_byte(object_path(Kind::kKey, id), 100);
  Repository repository = keyless();
  expect_error(repository.unlock_with_passphrase("right"), ErrorCode::kDamaged, id.hex());
  const auto keys = repository.keys();
  ASSERT_EQ(keys->damaged.size(), 1U);
  EXPECT_EQ(keys->damaged[0].id, id);
}

TEST_F(UnlockTest, KeysOfOtherConfigsAreNotThisRepositorys) {
  ASSERT_TRUE(made_->put(Kind::kKey, test::sample_certificate().encode(test::kSigningSeed)));
  const auto keys = made_->keys();
  EXPECT_EQ(keys->machines.size(), 1U);
  EXPECT_TRUE(keys->damaged.empty());
}

// Everything that lies in the repository or the machine's state is searched for the secrets, raw and in hex.
TEST_F(UnlockTest, NoSecretLiesInAnyFileButTheMachinesKey) {
  const RecoverySecrets& secrets = *made_->recovery_secrets();
  const auto forms = [](base::ByteSpan secret) {
    return std::vector<std::string>{std::string(base::as_text(secret)), base::to_hex(secret)};
  };
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path())) {
    if (!entry.is_regular_file()) continue;
    ++files;
    const std::string text = read(entry.path());
    EXPECT_FALSE(text.contains("right")) << entry.path();
    for (const base::Key* key : {&secrets.recovery, &secrets.box, &secrets.signing}) {
      for (const std::string& form : forms(key->span())) EXPECT_FALSE(text.contains(form)) << entry.path();
    }
    const bool machines = entry.path().filename() == "machine.key";
    for (const base::Key* key : {&secrets.write.write, &made_->machine()->signing_seed}) {
      EXPECT_EQ(text.contains(forms(key->span())[1]), machines) << entry.path();
      EXPECT_FALSE(text.contains(forms(key->span())[0])) << entry.path();
    }
  }
  EXPECT_GE(files, 4) << "config, slot, certificate, machine key";
}

}  // namespace
}  // namespace kura::archive
