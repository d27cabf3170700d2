#include "base/human.h"

#include <limits>

#include <gtest/gtest.h>

namespace kura::base {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

TEST(HumanTest, SizesAreShort) {
  const std::pair<std::uint64_t, const char*> cases[] = {
      {0, "0 B"},
      {999, "999 B"},
      {1000, "1.0 KiB"},
      {1024, "1.0 KiB"},
      {1536, "1.5 KiB"},
      {1024 * 1024 - 1, "1.0 MiB"},
      {1288490189, "1.2 GiB"},
      {kMost, "16.0 EiB"},
  };
  for (const auto& [bytes, text] : cases) EXPECT_EQ(human_size(bytes), text);
}

TEST(HumanTest, RatesCountsAndDurations) {
  EXPECT_EQ(human_rate(123.4 * 1024 * 1024), "123.4 MiB/s");
  EXPECT_EQ(human_rate(std::numeric_limits<double>::infinity()), "0 B/s");
  EXPECT_EQ(human_rate(-1), "0 B/s");

  EXPECT_EQ(human_count(0), "0");
  EXPECT_EQ(human_count(999), "999");
  EXPECT_EQ(human_count(1234), "1,234");
  EXPECT_EQ(human_count(0, "file"), "0 files");
  EXPECT_EQ(human_count(1, "file"), "1 file");
  EXPECT_EQ(human_count(1234, "index"), "1,234 indexes");
  EXPECT_EQ(human_count(kMost), "18,446,744,073,709,551,615");

  const std::pair<double, const char*> cases[] = {
      {0, "0.0 s"},
      {0.44, "0.4 s"},
      {9.96, "10 s"},
      {59.4, "59 s"},
      {59.6, "1 min 00 s"},
      {192, "3 min 12 s"},
      {3599.6, "1 h 00 min"},
      {7500, "2 h 05 min"},
      {273600, "3 d 04 h"},
      {-1, "?"},
      {std::numeric_limits<double>::quiet_NaN(), "?"},
      {1e300, "1000000000 d 00 h"},
  };
  for (const auto& [seconds, text] : cases) EXPECT_EQ(human_duration(seconds), text);
}

}  // namespace
}  // namespace kura::base
