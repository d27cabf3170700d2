#include "vault/door/schedule.h"

#include <cstdlib>
#include <ctime>

#include <gtest/gtest.h>

#include "base/time.h"

namespace kura::vault {
namespace {

class ScheduleTest : public ::testing::Test {
 protected:
  void SetUp() override { in("UTC"); }
  void TearDown() override {
    ::unsetenv("TZ");
    ::tzset();
  }
  static void in(const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
  }
  static std::int64_t at(const char* text) { return *base::parse_rfc3339(text); }
  static std::string end(const char* hours, const char* now) {
    const auto until = Hours::parse(hours)->end_at(at(now));
    return until ? base::format_rfc3339(*until) : "shut";
  }
};

TEST_F(ScheduleTest, HoursAreReadAndWritten) {
  for (const char* text : {"02:00+3h", "22:30+90m@fri,sat", "00:00+24h", "23:59+1m@mon"}) {
    const auto hours = Hours::parse(text);
    ASSERT_TRUE(hours) << text;
    EXPECT_EQ(hours->text(), text);
  }
  EXPECT_EQ(Hours::parse("2:05+120m@sun,mon")->text(), "02:05+2h@mon,sun");
  for (const char* text : {"", "02:00", "+3h", "24:00+1h", "02:60+1h", "02:00+25h", "02:00+0s", "02:00+3h@someday",
                           "02:00+3h@mon tue", "02+3h", "02:00+3", "-1:00+3h", "02:00+-3h"}) {
    EXPECT_FALSE(Hours::parse(text)) << text;
  }
}

TEST_F(ScheduleTest, HoursAreOpenFromTheirBeginningToTheirEnd) {
  EXPECT_EQ(end("02:00+3h", "2026-11-27T01:59:59Z"), "shut");
  EXPECT_EQ(end("02:00+3h", "2026-11-27T02:00:00Z"), "2026-11-27T05:00:00Z");
  EXPECT_EQ(end("02:00+3h", "2026-11-27T04:59:59Z"), "2026-11-27T05:00:00Z");
  EXPECT_EQ(end("02:00+3h", "2026-11-27T05:00:00Z"), "shut");
}

TEST_F(ScheduleTest, HoursGoOnAfterMidnightOfTheDayOnWhichTheyBegan) {
  EXPECT_EQ(end("23:00+2h@fri", "2026-11-27T23:30:00Z"), "2026-11-28T01:00:00Z");  // a Friday
  EXPECT_EQ(end("23:00+2h@fri", "2026-11-28T00:30:00Z"), "2026-11-28T01:00:00Z");
  EXPECT_EQ(end("23:00+2h@fri", "2026-11-27T00:30:00Z"), "shut");
  EXPECT_EQ(end("23:00+2h@fri", "2026-11-28T23:30:00Z"), "shut");
}

TEST_F(ScheduleTest, TheClockIsTheVaultsOwn) {
  in("JST-9");
  EXPECT_EQ(end("02:00+3h@sat", "2026-11-27T17:30:00Z"), "2026-11-27T20:00:00Z");
}

TEST_F(ScheduleTest, TheLastEndOfSeveralCounts) {
  const auto schedule = Schedule::parse("02:00+3h 04:00+2h 12:00+1h");
  ASSERT_TRUE(schedule);
  EXPECT_EQ(schedule->end_at(at("2026-11-27T04:30:00Z")), at("2026-11-27T06:00:00Z"));
  EXPECT_EQ(schedule->end_at(at("2026-11-27T10:00:00Z")), std::nullopt);
  EXPECT_EQ(schedule->text(), "02:00+3h 04:00+2h 12:00+1h");
  EXPECT_EQ(Schedule::parse("none")->text(), "none");
}

TEST_F(ScheduleTest, AMachineHasOnlySoManyHours) {
  Schedule schedule;
  for (unsigned i = 0; i < Schedule::kMost; ++i) {
    ASSERT_TRUE(schedule.add({.minute = i, .length = std::chrono::minutes(1)}));
  }
  EXPECT_TRUE(schedule.add({.minute = 0, .length = std::chrono::minutes(1)}));  // is there already
  EXPECT_FALSE(schedule.add({.minute = 100, .length = std::chrono::minutes(1)}));
}

}  // namespace
}  // namespace kura::vault
