#include "crypto/hash.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "support/hex.h"

namespace kura::crypto {
namespace {

using base::as_bytes;
using base::to_hex;
using test::hex;

// FIPS 180-4's examples, and the empty message.
TEST(Sha256Test, AgreesWithPublishedVectors) {
  EXPECT_EQ(sha256({}).hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256(as_bytes("abc")).hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")).hex(),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(sha256(Bytes(1'000'000, 'a')).hex(), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

RC_GTEST_PROP(Sha256Test, AStreamInAnyPiecesIsTheWhole, (const std::vector<Bytes>& pieces)) {
  Sha256 stream;
  Bytes whole;
  for (const Bytes& piece : pieces) {
    stream.update(piece);
    whole.insert(whole.end(), piece.begin(), piece.end());
  }
  RC_ASSERT(stream.finish() == sha256(whole));
}

TEST(Sha256Test, StartsAnewAfterFinish) {
  Sha256 stream;
  stream.update(as_bytes("something else"));
  stream.finish();
  stream.update(as_bytes("abc"));
  EXPECT_EQ(stream.finish(), sha256(as_bytes("abc")));
}

Key padded_key(ByteSpan key) {
  Key padded;  // HMAC pads short keys with zeros itself
  std::ranges::copy(key, padded.writable().begin());
  return padded;
}

// RFC 4231, test cases 1, 2, 3 (keys of up to 32 bytes).
TEST(HmacSha256Test, AgreesWithRfc4231) {
  EXPECT_EQ(HmacSha256(padded_key(Bytes(20, 0x0b))).mac(as_bytes("Hi There")).hex(),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(HmacSha256(padded_key(as_bytes("Jefe"))).mac(as_bytes("what do ya want for nothing?")).hex(),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(HmacSha256(padded_key(Bytes(20, 0xaa))).mac(Bytes(50, 0xdd)).hex(),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
}

TEST(HmacSha256Test, MessagesDoNotInfluenceEachOther) {
  HmacSha256 hmac{Key(Bytes(32, 7))};
  const Digest first = hmac.mac(as_bytes("first"));
  hmac.mac(Bytes(1000, 1));
  EXPECT_EQ(hmac.mac(as_bytes("first")), first);
  EXPECT_NE(hmac.mac(as_bytes("second")), first);
}

TEST(HmacSha256Test, ACloneHasTheSameKeyAndItsOwnState) {
  HmacSha256 original{Key(Bytes(32, 7))};
  const Digest expected = original.mac(as_bytes("message"));
  HmacSha256 copy = original.clone();
  original = HmacSha256(Key(Bytes(32, 8)));
  EXPECT_EQ(copy.mac(as_bytes("message")), expected);
  EXPECT_NE(original.mac(as_bytes("message")), expected);
}

struct HkdfVector {
  const char* input_key;
  const char* salt;
  const char* info;
  const char* pseudorandom_key;
  const char* output;
};

// RFC 5869, appendix A.1 to A.3.
const HkdfVector kHkdfVectors[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c", "f0f1f2f3f4f5f6f7f8f9",
     "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
    {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f"
     "303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
     "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f"
     "909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
     "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedf"
     "e0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
     "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
     "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e590e09"
     "da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
     "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
};

TEST(HkdfTest, AgreesWithRfc5869) {
  for (const HkdfVector& vector : kHkdfVectors) {
    const Bytes output = hex(vector.output);
    EXPECT_EQ(to_hex(hkdf_extract(hex(vector.salt), hex(vector.input_key)).span()), vector.pseudorandom_key);
    EXPECT_EQ(to_hex(hkdf(hex(vector.input_key), hex(vector.salt), hex(vector.info), output.size())), vector.output);
  }
}

TEST(HkdfTest, TheUsualKeyIsTheFirst32Bytes) {
  const Bytes input(32, 1), salt(16, 2);
  EXPECT_EQ(to_hex(hkdf_key(input, salt, "a purpose").span()), to_hex(hkdf(input, salt, as_bytes("a purpose"), 32)));
  EXPECT_NE(to_hex(hkdf_key(input, salt, "a purpose").span()), to_hex(hkdf_key(input, salt, "another").span()));
}

TEST(HkdfTest, GivesTheLongestOutputTheRfcAllows) {
  const Bytes longest = hkdf(Bytes(32, 1), {}, {}, std::size_t{255} * 32);
  const Bytes shorter = hkdf(Bytes(32, 1), {}, {}, 100);
  EXPECT_EQ(longest.size(), 255u * 32u);
  EXPECT_TRUE(std::equal(shorter.begin(), shorter.end(), longest.begin()));
}

TEST(EqualConstantTimeTest, ComparesContentsAndSizes) {
  EXPECT_TRUE(equal_constant_time(hex("0102"), hex("0102")));
  EXPECT_FALSE(equal_constant_time(hex("0102"), hex("0103")));
  EXPECT_FALSE(equal_constant_time(hex("0102"), hex("010203")));
  EXPECT_TRUE(equal_constant_time({}, {}));
}

}  // namespace
}  // namespace kura::crypto
