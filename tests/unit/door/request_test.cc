#include "door/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kura::door {
namespace {

using base::ErrorCode;
using What = Request::What;

TEST(DoorRequest, ComesOutAsItWentIn) {
  const Request open{.what = What::kOpen, .address = *Address::parse("192.0.2.1"), .time = std::chrono::seconds(7200)};
  const auto again = Request::parse(open.encode());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->what, What::kOpen);
  EXPECT_EQ(again->address, open.address);
  EXPECT_EQ(again->time, open.time);
  EXPECT_EQ(Request::parse(Request{.what = What::kShutAll}.encode())->what, What::kShutAll);
  EXPECT_EQ(Request::parse(Request{.what = What::kStatus}.encode())->what, What::kStatus);
  EXPECT_EQ(Request::parse(R"({"do":"shut","address":"2001:db8::1"})")->address->text(), "2001:db8::1");
}

TEST(DoorRequest, WhatIsNoneIsRefused) {
  for (const std::string& line :
       {std::string(), std::string("{}"), std::string("[]"), std::string(R"({"do":"burn"})"),
        std::string(R"({"do":1})"), std::string(R"({"do":"open"})"),
        std::string(R"({"do":"open","address":"192.0.2.1"})"),
        std::string(R"({"do":"open","address":"192.0.2.1","seconds":0})"),
        std::string(R"({"do":"open","address":"192.0.2.1","seconds":-5})"),
        std::string(R"({"do":"open","address":"192.0.2.1","seconds":172801})"),
        std::string(R"({"do":"open","address":"192.0.2.1 }","seconds":5})"),
        std::string(R"({"do":"shut","address":["192.0.2.1"]})"), std::string(600, ' ') + R"({"do":"status"})"}) {
    const auto request = Request::parse(line);
    ASSERT_FALSE(request) << line;
    EXPECT_EQ(request.error().code(), ErrorCode::kUsage);
  }
}

TEST(DoorAnswer, TellsWhatIsOpenOrWhyNot) {
  EXPECT_TRUE(parse_answer(done()));
  const Standing standing{.port = 7443,
                          .open = {{.address = *Address::parse("192.0.2.1"), .left = std::chrono::seconds(9)}}};
  const auto again = parse_answer(encode(standing));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->port, 7443);
  ASSERT_EQ(again->open.size(), 1U);
  EXPECT_EQ(again->open[0].address.text(), "192.0.2.1");
  EXPECT_EQ(again->open[0].left.count(), 9);
  const auto refused = parse_answer(refusal({ErrorCode::kDenied, "no", "be root"}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kDenied);
  EXPECT_EQ(refused.error().hint(), "be root");
  for (const char* line : {"", "true", "{}", R"({"done":1})"}) EXPECT_FALSE(parse_answer(line)) << line;
}

}  // namespace
}  // namespace kura::door
