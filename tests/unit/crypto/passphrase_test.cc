#include "crypto/passphrase.h"

#include <gtest/gtest.h>

#include "support/hex.h"

namespace kura::crypto {
namespace {

using base::ErrorCode;
using test::hex;

std::string derived(std::string_view passphrase, const base::Bytes& salt, const PassphraseCost& cost) {
  const auto key = key_from_passphrase(passphrase, salt, cost);
  return key ? base::to_hex(key->span()) : key.error().text();
}

// Computed with the reference implementation, argon2.low_level.hash_secret_raw(passphrase, salt, passes, KiB, 1, 32,
// Type.ID) of python3-argon2.
TEST(PassphraseTest, AgreesWithTheReferenceImplementation) {
  EXPECT_EQ(derived("correct horse battery staple", hex("000102030405060708090a0b0c0d0e0f"),
                    {.passes = 3, .memory_kib = 1024}),
            "590d7ddd37a1ed86417a3614be47c9f782828a38902390018d39bb6556fee029");
  EXPECT_EQ(derived("", base::Bytes(16), {.passes = 1, .memory_kib = 8}),
            "cfa0d2d242da6703d311d7eefc922e39cc60c9f4ec93a67d20995be541a06be4");
  EXPECT_EQ(derived("蔵守", hex("101112131415161718191a1b1c1d1e1f"), {.passes = 2, .memory_kib = 64 * 1024}),
            "5d45a76b22eacb8489b273077c72a59079498ecf6bfbe2fab41af0b2fef713bf");
}

TEST(PassphraseTest, RefusesCostsOutsideOfTheLimitsInsteadOfObeying) {
  for (const PassphraseCost& cost : {
           PassphraseCost{.passes = 0, .memory_kib = 1024},
           PassphraseCost{.passes = kPassphraseCostLimit.passes + 1, .memory_kib = 1024},
           PassphraseCost{.passes = 1, .memory_kib = 7},
           PassphraseCost{.passes = 1, .memory_kib = kPassphraseCostLimit.memory_kib + 1},
           PassphraseCost{.passes = 0xffffffff, .memory_kib = 0xffffffff},
       }) {
    const auto key = key_from_passphrase("passphrase", base::Bytes(kPassphraseSaltSize), cost);
    ASSERT_FALSE(key);
    EXPECT_EQ(key.error().code(), ErrorCode::kUnsupported);
  }
}

TEST(PassphraseTest, RefusesASaltOfAnotherSize) {
  const auto key = key_from_passphrase("passphrase", base::Bytes(8), {.passes = 1, .memory_kib = 8});
  ASSERT_FALSE(key);
  EXPECT_EQ(key.error().code(), ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace kura::crypto
