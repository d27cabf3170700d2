#include "pki/knock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/time.h"
#include "crypto/hash.h"
#include "pki/authority.h"

namespace kura::pki {
namespace {

constexpr std::int64_t kIssued = 1'800'000'000 * base::kSecond;

class KnockTest : public ::testing::Test {
 protected:
  const Authority authority_ = Authority::create("vault a", kIssued);
  const PrivateKey key_ = PrivateKey::generate();
  const Certificate certificate_ = *authority_.issue(
      make_request(key_, "x"), {.name = "pc1", .now = kIssued, .lifetime = 90 * 86400 * base::kSecond});
  const Knock knock_{.purpose = KnockPurpose::kEmergency,
                     .counter = 1'800'000'000'000'000'000,
                     .authority = authority_.certificate().fingerprint(),
                     .certificate = certificate_.to_der()};
};

TEST_F(KnockTest, ComesOutAsItWentInAndFitsIntoAPacket) {
  const base::Bytes datagram = knock_.encode(key_);
  EXPECT_LE(datagram.size(), 800U);
  const auto again = Knock::decode(datagram);
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(*again, knock_);
  EXPECT_TRUE(is_knock_signed_by(datagram, certificate_));
  EXPECT_EQ(crypto::sha256(again->certificate), certificate_.fingerprint());
}

TEST_F(KnockTest, NoByteOfItCanBeChanged) {
  const base::Bytes datagram = knock_.encode(key_);
  for (std::size_t i = 0; i < datagram.size(); ++i) {
    base::Bytes altered = datagram;
    altered[i] ^= 1;
    EXPECT_FALSE(Knock::decode(altered) && is_knock_signed_by(altered, certificate_)) << i;
  }
}

TEST_F(KnockTest, AnothersSignatureDoesNotCount) {
  EXPECT_FALSE(is_knock_signed_by(knock_.encode(PrivateKey::generate()), certificate_));
  EXPECT_FALSE(is_knock_signed_by(knock_.encode(key_), authority_.certificate()));
}

TEST_F(KnockTest, WhatIsShorterLongerOrElseIsNone) {
  const base::Bytes datagram = knock_.encode(key_);
  for (std::size_t size = 0; size < datagram.size(); ++size) {
    EXPECT_FALSE(Knock::decode(base::ByteSpan(datagram).first(size))) << size;
  }
  base::Bytes longer = datagram;
  longer.push_back(0);
  EXPECT_FALSE(Knock::decode(longer));
  EXPECT_FALSE(Knock::decode(base::Bytes(kKnockLimit + 1, 'K')));
  base::Bytes purpose = datagram;
  purpose[9] = 3;
  EXPECT_FALSE(Knock::decode(purpose));
}

}  // namespace
}  // namespace kura::pki
