#include "door/address.h"

#include <gtest/gtest.h>

namespace kura::door {
namespace {

TEST(DoorAddress, HasOneForm) {
  EXPECT_EQ(Address::parse("192.0.2.1")->text(), "192.0.2.1");
  EXPECT_EQ(Address::parse("2001:DB8:0:0::1")->text(), "2001:db8::1");
  EXPECT_EQ(Address::parse("::ffff:192.0.2.1")->text(), "192.0.2.1");
  EXPECT_EQ(*Address::parse("::ffff:192.0.2.1"), *Address::parse("192.0.2.1"));
  EXPECT_TRUE(Address::parse("::ffff:192.0.2.1")->is_v4());
}

TEST(DoorAddress, IsOneMachines) {
  for (const char* text : {"", "host", "192.0.2", "192.0.2.1/32", "192.0.2.1 }", "0.0.0.0", "127.0.0.1", "224.0.0.1",
                           "255.255.255.255", "::", "::1", "ff02::1", "fe80::1%eth0", "::ffff:127.0.0.1"}) {
    EXPECT_FALSE(Address::parse(text)) << text;
  }
}

TEST(DoorNetwork, IsAnAddressAndBits) {
  EXPECT_EQ(Network::parse("203.0.113.0/24")->text(), "203.0.113.0/24");
  EXPECT_EQ(Network::parse("203.0.113.7")->text(), "203.0.113.7/32");
  EXPECT_EQ(Network::parse("2001:db8::/32")->text(), "2001:db8::/32");
  for (const char* text : {"", "/8", "203.0.113.0/33", "203.0.113.0/", "203.0.113.0/-1", "2001:db8::/129"}) {
    EXPECT_FALSE(Network::parse(text)) << text;
  }
}

}  // namespace
}  // namespace kura::door
