#include "crypto/aead.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "support/hex.h"

namespace kura::crypto {
namespace {

using base::Bytes;
using base::Key;
using base::to_hex;
using test::hex;

struct Vector {
  const char* name;
  AeadKind kind;
  const char* key;
  const char* nonce;
  const char* associated;
  const char* text;
  const char* sealed;
};

constexpr const char* kZeroKey = "0000000000000000000000000000000000000000000000000000000000000000";
constexpr const char* kGcmKey = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";

const Vector kVectors[] = {
    // McGrew and Viega, The Galois/Counter Mode of Operation, appendix B, test cases 13 to 16.
    {"GCM 13", AeadKind::kAes256Gcm, kZeroKey, "000000000000000000000000", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"GCM 14", AeadKind::kAes256Gcm, kZeroKey, "000000000000000000000000", "", "00000000000000000000000000000000",
     "cea7403d4d606b6e074ec5d3baf39d18 d0d1c8a799996bf0265b98b5d48ab919"},
    {"GCM 15", AeadKind::kAes256Gcm, kGcmKey, "cafebabefacedbaddecaf888", "",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad b094dac5d93471bdec1a502270e3cc6c"},
    {"GCM 16", AeadKind::kAes256Gcm, kGcmKey, "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662 76fc6ece0f4e1768cddf8853bb2d551b"},
    // RFC 8439, section 2.8.2.
    {"RFC 8439", AeadKind::kChaCha20Poly1305, "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
     "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
     "4c616469657320616e642047656e746c656d656e206f662074686520636c6173"
     "73206f66202739393a204966204920636f756c64206f6666657220796f75206f"
     "6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73"
     "637265656e20776f756c642062652069742e",
     "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
     "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
     "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
     "3ff4def08e4b7a9de576d26586cec64b6116 1ae10b594f09e26a7e902ecbd0600691"},
};

class AeadTest : public testing::TestWithParam<AeadKind> {
 protected:
  Aead new_aead(std::uint8_t fill = 1) const { return Aead(GetParam(), Key(Bytes(32, fill))); }
};

INSTANTIATE_TEST_SUITE_P(EachKind, AeadTest, testing::Values(AeadKind::kAes256Gcm, AeadKind::kChaCha20Poly1305),
                         [](const auto& kind) {
                           return kind.param == AeadKind::kAes256Gcm ? "Aes256Gcm" : "ChaCha20Poly1305";
                         });

TEST(AeadVectorTest, AgreesWithPublishedVectors) {
  for (const Vector& vector : kVectors) {
    SCOPED_TRACE(vector.name);
    Aead aead(vector.kind, test::hex_key(vector.key));
    const Nonce nonce{test::hex_array<kNonceSize>(vector.nonce)};
    EXPECT_EQ(to_hex(aead.seal(nonce, hex(vector.associated), hex(vector.text))), to_hex(hex(vector.sealed)));
    EXPECT_EQ(aead.open(nonce, hex(vector.associated), hex(vector.sealed)), hex(vector.text));
  }
}

TEST_P(AeadTest, WhatIsSealedOpensInPlaceAndApart) {
  rc::check([&](const Bytes& text, const Bytes& associated, std::uint64_t counter) {
    Aead aead = new_aead();
    const Nonce nonce = Nonce::counter(counter);
    const Bytes sealed = aead.seal(nonce, associated, text);
    RC_ASSERT(sealed.size() == text.size() + kTagSize);
    RC_ASSERT(aead.open(nonce, associated, sealed) == text);

    Bytes place = sealed;
    RC_ASSERT(aead.open(nonce, associated, place, base::MutableByteSpan(place).first(text.size())));
    place.resize(text.size());
    RC_ASSERT(place == text);
  });
}

TEST_P(AeadTest, OneObjectSealsAndOpensInAnyOrderLikeFreshOnes) {
  rc::check([&](const std::vector<std::pair<bool, Bytes>>& operations) {
    Aead reused = new_aead();
    std::uint64_t counter = 0;
    for (const auto& [opens, text] : operations) {
      const Nonce nonce = Nonce::counter(counter++);
      Aead fresh = new_aead();
      const Bytes sealed = fresh.seal(nonce, text, text);
      if (opens) {
        RC_ASSERT(reused.open(nonce, text, sealed) == text);
      } else {
        RC_ASSERT(reused.seal(nonce, text, text) == sealed);
      }
    }
  });
}

TEST_P(AeadTest, AnyFlippedBitIsRefusedAndNothingComesOut) {
  Aead aead = new_aead();
  const Bytes text(37, 0xa5), associated(21, 0x3c);
  const Nonce nonce = Nonce::counter(99);
  const Bytes sealed = aead.seal(nonce, associated, text);
  const auto refused = [&](const Nonce& a_nonce, const Bytes& an_associated, const Bytes& a_sealed) {
    Bytes out(text.size(), 0xff);
    return !aead.open(a_nonce, an_associated, a_sealed, out) && out == Bytes(text.size(), 0);
  };
  const auto flipped = [](auto bytes, std::size_t bit) {
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    return bytes;
  };
  for (std::size_t bit = 0; bit < 8 * sealed.size(); ++bit) {
    EXPECT_TRUE(refused(nonce, associated, flipped(sealed, bit))) << bit;
  }
  for (std::size_t bit = 0; bit < 8 * associated.size(); ++bit) {
    EXPECT_TRUE(refused(nonce, flipped(associated, bit), sealed)) << bit;
  }
  for (std::size_t bit = 0; bit < 8 * kNonceSize; ++bit) {
    EXPECT_TRUE(refused(Nonce{flipped(nonce.bytes, bit)}, associated, sealed)) << bit;
  }
  EXPECT_EQ(aead.open(nonce, associated, sealed), text) << "and a refusal does not spoil the object";
}

TEST_P(AeadTest, RefusesEveryTruncation) {
  Aead aead = new_aead();
  const Bytes sealed = aead.seal(Nonce{}, {}, Bytes(20, 1));
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_EQ(aead.open(Nonce{}, {}, base::ByteSpan(sealed).first(size)), std::nullopt) << size;
  }
  Bytes out(20, 0xff);
  EXPECT_FALSE(aead.open(Nonce{}, {}, base::ByteSpan(sealed).first(kTagSize - 1), out));
  EXPECT_EQ(out, Bytes(20, 0));
}

TEST_P(AeadTest, AnotherKeyDoesNotOpen) {
  const Bytes sealed = new_aead(1).seal(Nonce{}, {}, Bytes(20, 1));
  EXPECT_EQ(new_aead(2).open(Nonce{}, {}, sealed), std::nullopt);
}

TEST(NonceTest, IsTheCounterInLittleEndianThenZeros) {
  EXPECT_EQ(to_hex(Nonce::counter(0x0102030405060708).bytes), "080706050403020100000000");
}

TEST(AeadKindTest, KnowsItsStoredNumbers) {
  EXPECT_TRUE(is_aead_kind(1));
  EXPECT_TRUE(is_aead_kind(2));
  EXPECT_FALSE(is_aead_kind(0));
  EXPECT_FALSE(is_aead_kind(3));
  EXPECT_TRUE(is_aead_kind(static_cast<std::uint8_t>(preferred_aead())));
}

}  // namespace
}  // namespace kura::crypto
