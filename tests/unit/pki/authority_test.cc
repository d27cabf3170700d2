#include "pki/authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/time.h"
#include "pki/enrolment_token.h"

namespace kura::pki {
namespace {

using base::ErrorCode;
using ::testing::HasSubstr;

constexpr std::int64_t kDay = 24 * 3600 * base::kSecond;
constexpr std::int64_t kNow = 1'800'000'000 * base::kSecond;

class AuthorityTest : public ::testing::Test {
 protected:
  base::Result<Certificate> issue(const std::string& name, const std::string& request) const {
    return authority_.issue(request, {.name = name, .now = kNow, .lifetime = 90 * kDay});
  }
  const Authority authority_ = Authority::create("vault a", kNow);
  const PrivateKey key_ = PrivateKey::generate();
};

TEST_F(AuthorityTest, CertifiesTheKeyUnderTheNameThatItChose) {
  const auto certificate = issue("pc1", make_request(key_, "administrator"));
  ASSERT_TRUE(certificate) << certificate.error().text();
  EXPECT_EQ(certificate->name(), "pc1");
  EXPECT_TRUE(certificate->belongs_to(key_));
  EXPECT_TRUE(certificate->is_issued_by(authority_.certificate()));
  EXPECT_FALSE(certificate->belongs_to(PrivateKey::generate()));
  EXPECT_FALSE(certificate->is_issued_by(Authority::create("vault a", kNow).certificate()));
  EXPECT_EQ(certificate->not_after(), kNow + 90 * kDay);
  EXPECT_LT(certificate->not_before(), kNow);
}

TEST_F(AuthorityTest, ComesBackFromItsFiles) {
  const auto again = Authority::open(authority_.key().to_pem(), authority_.certificate().to_pem());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->certificate().fingerprint(), authority_.certificate().fingerprint());
  const auto mixed = Authority::open(key_.to_pem(), authority_.certificate().to_pem());
  ASSERT_FALSE(mixed);
  EXPECT_EQ(mixed.error().code(), ErrorCode::kWrongKey);
}

TEST_F(AuthorityTest, MalformedAndForgedRequestsAreRefused) {
  std::string forged = make_request(key_, "pc1");
  const std::size_t middle = forged.size() / 2;
  forged[middle] = forged[middle] == 'A' ? 'B' : 'A';
  for (const std::string& request : {std::string(), std::string("no PEM"), forged, key_.to_pem()}) {
    EXPECT_FALSE(issue("pc1", request));
  }
}

TEST_F(AuthorityTest, NamesThatDoNotFitAreRefused) {
  for (const std::string& name : {std::string(), std::string(65, 'x')}) {
    const auto certificate = issue(name, make_request(key_, "pc1"));
    ASSERT_FALSE(certificate);
    EXPECT_EQ(certificate.error().code(), ErrorCode::kUsage);
  }
  const std::vector<std::string> bad = {"vault.example.com", "a,DNS:b"};
  const auto server = authority_.issue(make_request(key_, "a"), {.name = "a", .use = Use::kServer, .reached_as = bad});
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error().code(), ErrorCode::kUsage);
}

TEST_F(AuthorityTest, PemAndDerAreReadBack) {
  const Certificate& own = authority_.certificate();
  EXPECT_EQ(Certificate::from_pem(own.to_pem())->fingerprint(), own.fingerprint());
  EXPECT_FALSE(Certificate::from_pem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
  EXPECT_FALSE(Certificate::from_der(base::Bytes{0x30, 0x03, 1, 1, 0}));
  EXPECT_TRUE(PrivateKey::from_pem(key_.to_pem()));
  EXPECT_FALSE(PrivateKey::from_pem("nothing"));
}

TEST(EnrolmentTokenTest, IsReadBackAsItWasWritten) {
  EnrolmentToken token;
  token.authority.bytes.fill(7);
  token.secret.writable()[3] = 9;
  const auto read = EnrolmentToken::decode(token.encode());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->authority, token.authority);
  EXPECT_TRUE(std::ranges::equal(read->secret.span(), token.secret.span()));
}

TEST(EnrolmentTokenTest, MistypedOnesAreTold) {
  const std::string whole = EnrolmentToken().encode();
  for (const std::string& text : {std::string(), whole.substr(1), whole.substr(0, whole.size() - 2), whole + "00",
                                  "kura1-" + std::string(96, 'g')}) {
    const auto token = EnrolmentToken::decode(text);
    ASSERT_FALSE(token) << text;
    EXPECT_EQ(token.error().code(), ErrorCode::kUsage);
  }
}

}  // namespace
}  // namespace kura::pki
