#include <chrono>
#include <optional>
#include <thread>

#include <gtest/gtest.h>

#include "store/s3/service.h"

namespace kura::store::s3 {
namespace {

using base::ErrorCode;

// Nobody listens on port 1.
Service nowhere(const std::stop_token& stop, int retry, std::optional<std::chrono::seconds> patience = {}) {
  return {{.encrypted = false,
           .host = "127.0.0.1:1",
           .bucket = "bucket",
           .prefix = "",
           .object_lock = {},
           .retry = std::chrono::seconds(retry)},
          {.access_key = "KEY", .secret_key = "SECRET", .session_token = "TOKEN", .region = "r"},
          stop,
          patience};
}

TEST(S3Service, NobodyThereIsToldWithTheHost) {
  Service service = nowhere({}, 1);
  const auto answer = service.call({.key = "key"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().error.code(), ErrorCode::kIo);
  EXPECT_NE(answer.error().error.message().find("127.0.0.1:1"), std::string::npos);
  EXPECT_EQ(answer.error().error.text().find("SECRET"), std::string::npos);
}

TEST(S3Service, IsGivenUpSoonForWhoeverHasLittlePatienceHoweverLongTheAddressWouldTry) {
  Service service = nowhere({}, 1'000'000, std::chrono::seconds(1));
  EXPECT_EQ(service.call({.key = "key"}).error().error.code(), ErrorCode::kIo);
}

TEST(S3Service, AStopEndsTheWaitForTheNextTryOfEveryThread) {
  std::stop_source stop;
  Service service = nowhere(stop.get_token(), 3600);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { EXPECT_FALSE(service.call({.key = "key"})); });
  stop.request_stop();
}

}  // namespace
}  // namespace kura::store::s3
