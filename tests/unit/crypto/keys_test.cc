#include "crypto/keys.h"

#include <gtest/gtest.h>

#include "crypto/hpke_internal.h"
#include "support/hex.h"

namespace kura::crypto {
namespace {

using base::as_bytes;
using base::Bytes;
using base::Key;
using base::to_hex;
using test::hex;
using test::hex_array;
using test::hex_key;

struct Ed25519Vector {
  const char* seed;
  const char* public_key;
  const char* message;
  const char* signature;
};

// RFC 8032, section 7.1, tests 1 to 3.
const Ed25519Vector kEd25519Vectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
     "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
     "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
     "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
};

TEST(Ed25519Test, AgreesWithRfc8032) {
  for (const Ed25519Vector& vector : kEd25519Vectors) {
    const Key seed = hex_key(vector.seed);
    EXPECT_EQ(to_hex(ed25519_public(seed)), vector.public_key);
    EXPECT_EQ(to_hex(ed25519_sign(seed, hex(vector.message))), vector.signature);
    EXPECT_TRUE(ed25519_verify(hex_array<32>(vector.public_key), hex(vector.message), hex(vector.signature)));
  }
}

TEST(Ed25519Test, RefusesAnyChangedBit) {
  const Key seed(Bytes(32, 5));
  const PublicKey key = ed25519_public(seed);
  const Bytes message(10, 1);
  const Signature signature = ed25519_sign(seed, message);
  ASSERT_TRUE(ed25519_verify(key, message, signature));
  for (std::size_t bit = 0; bit < 8 * signature.size(); ++bit) {
    Signature changed = signature;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    EXPECT_FALSE(ed25519_verify(key, message, changed)) << bit;
  }
  EXPECT_FALSE(ed25519_verify(key, Bytes(11, 1), signature));
  EXPECT_FALSE(ed25519_verify(ed25519_public(Key(Bytes(32, 6))), message, signature));
}

TEST(Ed25519Test, RefusesMalformedKeysAndSignatures) {
  const PublicKey key = ed25519_public(Key(Bytes(32, 5)));
  EXPECT_FALSE(ed25519_verify(key, {}, {}));
  EXPECT_FALSE(ed25519_verify(key, {}, Bytes(63)));
  EXPECT_FALSE(ed25519_verify(key, {}, Bytes(65)));
  PublicKey no_point;
  no_point.fill(0xff);
  EXPECT_FALSE(ed25519_verify(no_point, {}, Bytes(64)));
}

// RFC 7748, section 6.1.
TEST(X25519Test, AgreesWithRfc7748) {
  const Key alice = hex_key("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
  const Key bob = hex_key("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb");
  EXPECT_EQ(to_hex(x25519_public(alice)), "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
  EXPECT_EQ(to_hex(x25519_public(bob)), "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
  const auto shared = x25519_shared(alice, x25519_public(bob));
  ASSERT_TRUE(shared);
  EXPECT_EQ(to_hex(shared->span()), "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
}

// The u coordinates of the points of order 1, 2, 4 and 8, and those of them that have a second encoding below 2^255.
const char* const kLowOrderPoints[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

TEST(X25519Test, PointsOfLowOrderAreNotUsable) {
  for (const char* point : kLowOrderPoints) EXPECT_FALSE(x25519_is_usable(hex_array<32>(point))) << point;
  EXPECT_TRUE(x25519_is_usable(x25519_public(Key(Bytes(32, 3)))));
}

// RFC 9180, appendix A.2.1 and A.2.1.1, sequence number 0.
struct HpkeVector {
  Key ephemeral = hex_key("f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600");
  Key recipient = hex_key("8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb");
  Bytes info = hex("4f6465206f6e2061204772656369616e2055726e");
  Bytes associated = hex("436f756e742d30");
  Bytes text = hex("4265617574792069732074727574682c20747275746820626561757479");
  Bytes sealed =
      hex("1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a"
          "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28");
};

TEST(HpkeTest, AgreesWithRfc9180) {
  const HpkeVector vector;
  EXPECT_EQ(to_hex(x25519_public(vector.recipient)),
            "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a");
  EXPECT_EQ(to_hex(hpke_seal_with_ephemeral(vector.ephemeral, x25519_public(vector.recipient), vector.info,
                                            vector.associated, vector.text)),
            to_hex(vector.sealed));
  EXPECT_EQ(hpke_open(vector.recipient, vector.info, vector.associated, vector.sealed), vector.text);
}

TEST(HpkeTest, WhatIsSealedOpensAndNeverLooksTheSame) {
  const Key recipient(Bytes(32, 9));
  const PublicKey key = x25519_public(recipient);
  for (const std::size_t size : {0u, 1u, 32u, 1000u}) {
    const Bytes text(size, 0x11);
    const Bytes sealed = hpke_seal(key, as_bytes("info"), as_bytes("associated"), text);
    EXPECT_EQ(sealed.size(), size + kHpkeOverhead);
    EXPECT_EQ(hpke_open(recipient, as_bytes("info"), as_bytes("associated"), sealed), text);
    EXPECT_NE(hpke_seal(key, as_bytes("info"), as_bytes("associated"), text), sealed);
  }
}

TEST(HpkeTest, OpensOnlyWithTheSameKeyInfoAndAssociatedData) {
  const HpkeVector vector;
  EXPECT_EQ(hpke_open(Key(Bytes(32, 1)), vector.info, vector.associated, vector.sealed), std::nullopt);
  EXPECT_EQ(hpke_open(vector.recipient, as_bytes("other"), vector.associated, vector.sealed), std::nullopt);
  EXPECT_EQ(hpke_open(vector.recipient, vector.info, as_bytes("other"), vector.sealed), std::nullopt);
}

TEST(HpkeTest, RefusesAnyChangedBitAndEveryTruncation) {
  const HpkeVector vector;
  for (std::size_t bit = 0; bit < 8 * vector.sealed.size(); ++bit) {
    Bytes changed = vector.sealed;
    changed[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    EXPECT_EQ(hpke_open(vector.recipient, vector.info, vector.associated, changed), std::nullopt) << bit;
  }
  for (std::size_t size = 0; size < vector.sealed.size(); ++size) {
    EXPECT_EQ(hpke_open(vector.recipient, vector.info, vector.associated, base::ByteSpan(vector.sealed).first(size)),
              std::nullopt)
        << size;
  }
}

TEST(HpkeTest, RefusesEphemeralPointsOfLowOrder) {
  for (const char* point : kLowOrderPoints) {
    Bytes sealed = hex(point);
    sealed.resize(kHpkeOverhead + 5);
    EXPECT_EQ(hpke_open(Key(Bytes(32, 1)), {}, {}, sealed), std::nullopt) << point;
  }
}

}  // namespace
}  // namespace kura::crypto
