#include "crypto/random.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace kura::crypto {
namespace {

TEST(RandomTest, FillsAllOfAnySize) {
  for (const std::size_t size : {0u, 1u, 32u, 257u, 1u << 20}) EXPECT_EQ(random_bytes(size).size(), size);
  // A byte that is never written would stay zero in 20 tries.
  base::Bytes seen(1000);
  for (int round = 0; round < 20; ++round) {
    const base::Bytes bytes = random_bytes(seen.size());
    for (std::size_t i = 0; i < seen.size(); ++i) seen[i] |= bytes[i];
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 0), 0);
}

TEST(RandomTest, KeysDiffer) {
  std::set<std::string> keys;
  for (int i = 0; i < 1000; ++i) keys.insert(base::to_hex(random_key().span()));
  EXPECT_EQ(keys.size(), 1000u);
}

}  // namespace
}  // namespace kura::crypto
