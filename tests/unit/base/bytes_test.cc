#include "base/bytes.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace kura::base {
namespace {

RC_GTEST_PROP(HexTest, ReadsBackWhatItWrites, (const Bytes& bytes)) { RC_ASSERT(from_hex(to_hex(bytes)) == bytes); }

TEST(HexTest, ReadsEitherCaseAndRefusesTheRest) {
  EXPECT_EQ(from_hex("aAfF09"), (Bytes{0xaa, 0xff, 0x09}));
  EXPECT_EQ(from_hex(""), Bytes{});
  for (const char* text : {"a", "abc", "0g", "g0", " 0", "0x", "0\n"}) EXPECT_EQ(from_hex(text), std::nullopt) << text;
}

TEST(DigestTest, ReadsExactlyItsOwnHex) {
  const std::string text = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
  const auto digest = Digest::from_hex(text);
  ASSERT_TRUE(digest);
  EXPECT_EQ(digest->hex(), text);
  EXPECT_FALSE(digest->is_zero());
  EXPECT_TRUE(Digest{}.is_zero());
  EXPECT_EQ(Digest::from_hex(text.substr(2)), std::nullopt);
  EXPECT_EQ(Digest::from_hex(text + "00"), std::nullopt);
  EXPECT_EQ(Digest::from_hex("zz" + text.substr(2)), std::nullopt);
}

TEST(SecretTest, IsWipedWhenItEnds) {
  alignas(Key) unsigned char memory[sizeof(Key)];
  auto* key = new (memory) Key(Bytes(32, 0x5a));
  ASSERT_EQ(key->span()[31], 0x5a);
  key->~Key();
  EXPECT_EQ(std::count(std::begin(memory), std::end(memory), 0), 32);
}

}  // namespace
}  // namespace kura::base
