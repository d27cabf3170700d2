#include "door/rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kura::door {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(DoorKeep, SaysProtocolPortAndFromWhere) {
  for (const char* text : {"tcp:22:203.0.113.0/24", "udp:546", "tcp:7443:2001:db8::5/128"}) {
    const auto keep = Keep::parse(text);
    ASSERT_TRUE(keep) << text;
    EXPECT_EQ(keep->text(), text);
  }
  for (const char* text : {"", "tcp", "22", "tcp:", "tcp:0", "tcp:65536", "icmp:1", "tcp:22:", "tcp:22:all", "tcp:ssh",
                           "tcp:22:10.0.0.0/8 accept", "tcp:22 accept"}) {
    EXPECT_FALSE(Keep::parse(text)) << text;
  }
}

TEST(DoorRules, TheVaultsPortIsDecidedBeforeAnythingThatIsConnected) {
  const std::string table = closed_table({.port = 7443, .keep = {*Keep::parse("tcp:22:203.0.113.0/24")}});
  EXPECT_THAT(table, HasSubstr("policy drop"));
  EXPECT_LT(table.find("tcp dport 7443 goto port"), table.find("ct direction reply"));
  EXPECT_THAT(table, HasSubstr("ip saddr 203.0.113.0/24 tcp dport 22 accept"));
  EXPECT_EQ(table.find("established accept"), std::string::npos);
}

TEST(DoorRules, WithoutAPortThereIsNothingToOpen) {
  const std::string table = closed_table({.port = {}, .keep = {}});
  EXPECT_THAT(table, Not(HasSubstr("open4")));
  EXPECT_THAT(table, Not(HasSubstr("dport")));
}

TEST(DoorRules, ATableTakesThePlaceOfTheOneBeforeInOneStep) {
  EXPECT_THAT(closed_table({.port = 7443, .keep = {}}),
              HasSubstr("add table inet kura_door\ndelete table inet kura_door\ntable inet kura_door {"));
}

TEST(DoorRules, OpeningEndsTheTimeThatAnAddressHadBefore) {
  EXPECT_EQ(opening(*Address::parse("192.0.2.1"), std::chrono::seconds(60)),
            "add element inet kura_door open4 { 192.0.2.1 }\ndelete element inet kura_door open4 { 192.0.2.1 }\n"
            "add element inet kura_door open4 { 192.0.2.1 timeout 60s }\n");
  EXPECT_THAT(shutting(*Address::parse("2001:db8::1")), HasSubstr("open6 { 2001:db8::1 }"));
}

}  // namespace
}  // namespace kura::door
