#include "base/time.h"

#include <limits>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace kura::base {
namespace {

constexpr std::int64_t kFirst = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kSecond = 1'000'000'000;

TEST(FormatTimeTest, WritesUtcCutToThePrecision) {
  EXPECT_EQ(format_rfc3339(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(format_rfc3339(1'709'210'096 * kSecond + 987'654'321), "2024-02-29T12:34:56Z");
  EXPECT_EQ(format_rfc3339(1'709'210'096 * kSecond + 987'654'321, TimePrecision::kMilliseconds),
            "2024-02-29T12:34:56.987Z");
  EXPECT_EQ(format_rfc3339(1'709'210'096 * kSecond + 987'654'321, TimePrecision::kNanoseconds),
            "2024-02-29T12:34:56.987654321Z");
}

TEST(FormatTimeTest, WorksBefore1970AndAtTheEnds) {
  EXPECT_EQ(format_rfc3339(-1), "1969-12-31T23:59:59Z");
  EXPECT_EQ(format_rfc3339(-1, TimePrecision::kNanoseconds), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(format_rfc3339(-2'208'988'800 * kSecond), "1900-01-01T00:00:00Z");
  EXPECT_EQ(format_rfc3339(kFirst, TimePrecision::kNanoseconds), "1677-09-21T00:12:43.145224192Z");
  EXPECT_EQ(format_rfc3339(kLast, TimePrecision::kNanoseconds), "2262-04-11T23:47:16.854775807Z");
}

TEST(Time, SecondsAreFormattedInAnyYear) {
  EXPECT_EQ(format_rfc3339_seconds(-1), "1969-12-31T23:59:59Z");
  EXPECT_EQ(format_rfc3339_seconds(13'569'465'600), "2400-01-01T00:00:00Z");
  EXPECT_EQ(format_rfc3339_seconds(-11'676'096'000), "1600-01-01T00:00:00Z");
  EXPECT_EQ(format_rfc3339_seconds(-62'167'219'200), "0000-01-01T00:00:00Z");
  EXPECT_EQ(format_rfc3339_seconds(253'402'300'799), "9999-12-31T23:59:59Z");
  EXPECT_EQ(format_rfc3339_seconds(253'402'300'800), "9999-12-31T23:59:59Z");
  EXPECT_EQ(format_rfc3339_seconds(std::numeric_limits<std::int64_t>::max()), "9999-12-31T23:59:59Z");
  EXPECT_EQ(format_rfc3339_seconds(std::numeric_limits<std::int64_t>::min()), "0000-01-01T00:00:00Z");
}

TEST(ParseTimeTest, ReadsWhatPeopleType) {
  const std::int64_t day = 1'772'323'200 * kSecond;  // 2026-03-01T00:00:00Z
  const std::pair<const char*, std::int64_t> cases[] = {
      {"2026-03-01", day},
      {"2026-03-01T00:00Z", day},
      {"2026-03-01t00:00:00z", day},
      {"2026-03-01 00:00:01", day + kSecond},
      {"2026-03-01T09:00:00+09:00", day},
      {"2026-02-28T19:00:00-05:00", day},
      {"2026-03-01T05:30+05:30", day},
      {"2026-03-01T00:00:00.5Z", day + kSecond / 2},
      {"2026-03-01T00:00:00,000000001Z", day + 1},
      {"2026-03-01T00:00:00.0000000019Z", day + 1},
      {"2026-02-28T23:59:60Z", day},
      {"1969-12-31T23:59:59.999999999Z", -1},
  };
  for (const auto& [text, ns] : cases) {
    const auto parsed = parse_rfc3339(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, ns) << text;
  }
}

TEST(ParseTimeTest, RefusesWhatIsNotATime) {
  for (const char* text : {"",
                           "2026",
                           "2026-03",
                           "2026-3-01",
                           "2026-13-01",
                           "2026-00-01",
                           "2026-02-29",
                           "2026-04-31",
                           "2026-03-01T",
                           "2026-03-01T1",
                           "2026-03-01T24:00",
                           "2026-03-01T00:60",
                           "2026-03-01T00:00:61",
                           "2026-03-01T00:00:00.",
                           "2026-03-01T00:00:00+9",
                           "2026-03-01T00:00:00+0900",
                           "2026-03-01T00:00:00+24:00",
                           "2026-03-01T00:00:00ZZ",
                           "2026-03-01Z",
                           " 2026-03-01",
                           "2026-03-01 ",
                           "+026-03-01",
                           "-026-03-01",
                           "1600-01-01",
                           "9999-12-31",
                           "now"}) {
    const auto parsed = parse_rfc3339(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code(), ErrorCode::kUsage);
  }
}

RC_GTEST_PROP(TimeTest, ReadsBackWhatItWrites, (std::int64_t number, std::uint8_t shift)) {
  const std::int64_t ns = static_cast<std::int64_t>(static_cast<std::uint64_t>(number) << shift % 64);
  RC_PRE(ns / kSecond > kFirst / kSecond);  // the first second of all is not whole
  RC_ASSERT(parse_rfc3339(format_rfc3339(ns, TimePrecision::kNanoseconds)).value() == ns);
}

TEST(NowTest, IsTheSystemsTime) {
  const auto before = std::chrono::system_clock::now().time_since_epoch();
  const std::chrono::nanoseconds now(now_ns());
  const auto after = std::chrono::system_clock::now().time_since_epoch();
  EXPECT_LE(before, now);
  EXPECT_LE(now, after);
}

TEST(ParseDurationTest, ReadsNumbersWithUnits) {
  const std::pair<const char*, std::int64_t> cases[] = {
      {"0s", 0},      {"90s", 90},     {"15m", 900},     {"12h", 43200},
      {"7d", 604800}, {"4w", 2419200}, {"1y", 31536000}, {"1d12h", 129600},
  };
  for (const auto& [text, seconds] : cases) EXPECT_EQ(parse_duration(text).value().count(), seconds) << text;
}

TEST(ParseDurationTest, RefusesTheRest) {
  for (const char* text : {"", "5", "s", "-5s", "+5s", "5 s", "1.5h", "5x", "5sx", "5S", "99999999999999999999s"}) {
    const auto parsed = parse_duration(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code(), ErrorCode::kUsage);
  }
}

}  // namespace
}  // namespace kura::base
