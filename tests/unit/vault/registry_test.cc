#include "vault/registry/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/time.h"
#include "pki/certificate.h"
#include "support/temporary_folder.h"

namespace kura::vault {
namespace {

using base::ErrorCode;

constexpr std::int64_t kDay = 24 * 3600 * base::kSecond;
constexpr std::int64_t kNow = 1'800'000'000 * base::kSecond;

class RegistryTest : public ::testing::Test {
 protected:
  void SetUp() override { open(); }
  // As after a restart: all that is known comes from the journal.
  void open() {
    registry_.reset();
    journal_.reset();
    auto journal = first_ ? Journal::create(path_, seed_, "a", kNow) : Journal::open(path_, seed_);
    ASSERT_TRUE(journal) << journal.error().text();
    first_ = false;
    journal_ = *std::move(journal);
    registry_ = *Registry::open(*journal_);
  }
  base::Bytes invite(const std::string& machine, const std::string& repository) {
    const auto secret = registry_->invite({.machine = machine, .repository = repository}, kNow, kNow + kDay);
    EXPECT_TRUE(secret);
    return secret.value_or(base::Bytes());
  }
  base::Result<Enrolment> enrol(const base::Bytes& secret, std::int64_t now = kNow) {
    return registry_->enrol(secret, pki::make_request(pki::PrivateKey::generate(), "x"), authority_, now);
  }
  base::Result<Enrolment> renew(const base::Digest& certificate) {
    return registry_->renew(certificate, pki::make_request(pki::PrivateKey::generate(), "x"), authority_, kNow);
  }

  kura::test::TemporaryFolder folder_;
  const std::string path_ = folder_ / "journal";
  const base::Key seed_{base::Bytes(32, 5)};
  const pki::Authority authority_ = pki::Authority::create("a", kNow);
  bool first_ = true;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Registry> registry_;
};

TEST_F(RegistryTest, WhoWasInvitedIsKnownByItsCertificateAlsoAfterARestart) {
  const auto enrolment = enrol(invite("pc1", "office"));
  ASSERT_TRUE(enrolment) << enrolment.error().text();
  const base::Digest certificate = enrolment->certificate.fingerprint();
  for (int restart = 0; restart < 2; ++restart) {
    const auto member = registry_->member(certificate);
    ASSERT_TRUE(member);
    EXPECT_EQ(member->machine, "pc1");
    EXPECT_EQ(member->repository, "office");
    open();
  }
}

TEST_F(RegistryTest, ASecretWorksOnceAlsoAfterARestart) {
  const base::Bytes secret = invite("pc1", "office");
  open();
  ASSERT_TRUE(enrol(secret));
  EXPECT_EQ(enrol(secret).error().code(), ErrorCode::kDenied);
  open();
  EXPECT_EQ(enrol(secret).error().code(), ErrorCode::kDenied);
}

TEST_F(RegistryTest, ASecretGetsOld) {
  const base::Bytes secret = invite("pc1", "office");
  EXPECT_FALSE(enrol(secret, kNow + kDay + 1));
  EXPECT_TRUE(enrol(secret, kNow + kDay));
}

TEST_F(RegistryTest, OtherSecretsAreRefused) {
  base::Bytes secret = invite("pc1", "office");
  secret[0] ^= 1;
  EXPECT_FALSE(enrol(secret));
  EXPECT_FALSE(enrol({}));
}

TEST_F(RegistryTest, AFailedRequestDoesNotUseTheSecretUp) {
  const base::Bytes secret = invite("pc1", "office");
  EXPECT_FALSE(registry_->enrol(secret, "no request", authority_, kNow));
  EXPECT_TRUE(enrol(secret));
}

TEST_F(RegistryTest, ARenewedMachineIsKnownByBothCertificates) {
  const base::Digest first = enrol(invite("pc1", "office"))->certificate.fingerprint();
  const auto second = renew(first);
  ASSERT_TRUE(second);
  open();
  EXPECT_TRUE(registry_->member(first));
  EXPECT_TRUE(registry_->member(second->certificate.fingerprint()));
  EXPECT_EQ(registry_->machines().size(), 1U);
}

TEST_F(RegistryTest, RevokingEndsAllOfAMachinesCertificatesAndInvitations) {
  const base::Digest first = enrol(invite("pc1", "office"))->certificate.fingerprint();
  const base::Digest second = renew(first)->certificate.fingerprint();
  const base::Digest other = enrol(invite("pc2", "office"))->certificate.fingerprint();
  const base::Bytes open_invitation = invite("pc1", "office");
  ASSERT_TRUE(registry_->revoke("pc1", "stolen", kNow));
  for (int restart = 0; restart < 2; ++restart) {
    EXPECT_FALSE(registry_->member(first));
    EXPECT_FALSE(registry_->member(second));
    EXPECT_FALSE(renew(first));
    EXPECT_FALSE(enrol(open_invitation));
    EXPECT_TRUE(registry_->member(other));
    open();
  }
  ASSERT_TRUE(enrol(invite("pc1", "office")));
  EXPECT_FALSE(registry_->member(first));
  EXPECT_EQ(registry_->revoke("nobody", "", kNow).error().code(), ErrorCode::kNotFound);
}

TEST_F(RegistryTest, AMachineStaysWithItsRepository) {
  invite("pc1", "office");
  const auto moved = registry_->invite({.machine = "pc1", .repository = "other"}, kNow, kNow + kDay);
  ASSERT_FALSE(moved);
  EXPECT_EQ(moved.error().code(), ErrorCode::kConflict);
}

TEST_F(RegistryTest, AFollowerIsNoMachineOfAnyRepositoryAlsoAfterARestart) {
  const auto secret = registry_->invite({.machine = "b", .role = Role::kFollower}, kNow, kNow + kDay);
  ASSERT_TRUE(secret) << secret.error().text();
  open();
  const base::Digest first = enrol(*secret)->certificate.fingerprint();
  const base::Digest second = renew(first)->certificate.fingerprint();
  open();
  for (const base::Digest& certificate : {first, second}) {
    const auto member = registry_->member(certificate);
    ASSERT_TRUE(member);
    EXPECT_EQ(member->role, Role::kFollower);
    for (const char* name : {"", "office", "b"}) EXPECT_FALSE(member->is_machine_of(name)) << name;
  }
}

TEST_F(RegistryTest, NobodyChangesRoles) {
  invite("pc1", "office");
  ASSERT_TRUE(registry_->invite({.machine = "b", .role = Role::kFollower}, kNow, kNow + kDay));
  for (const Member& member :
       {Member{.machine = "pc1", .role = Role::kFollower}, Member{.machine = "b", .repository = "office"}}) {
    EXPECT_EQ(registry_->invite(member, kNow, kNow + kDay).error().code(), ErrorCode::kConflict);
  }
  for (const Member& member : {Member{.machine = "c", .repository = "office", .role = Role::kFollower},
                               Member{.machine = "c", .repository = ""}}) {
    EXPECT_EQ(registry_->invite(member, kNow, kNow + kDay).error().code(), ErrorCode::kUsage);
  }
}

TEST_F(RegistryTest, NamesThatCouldBePathsAreRefused) {
  for (const char* name : {"", ".", "..", "../x", "a/b", "-x", "a b", "\xff", "a\nb"}) {
    EXPECT_FALSE(registry_->invite({.machine = name, .repository = "office"}, kNow, kNow + kDay)) << name;
    EXPECT_FALSE(registry_->invite({.machine = "pc1", .repository = name}, kNow, kNow + kDay)) << name;
  }
}

}  // namespace
}  // namespace kura::vault
