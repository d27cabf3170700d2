#include <fstream>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "store/http/back_off.h"
#include "store/s3/address.h"
#include "store/s3/credentials.h"
#include "support/temporary_folder.h"

namespace kura::store::s3 {
namespace {

using base::ErrorCode;

TEST(S3Address, NamesHostBucketPrefixAndOptions) {
  const Address address = parse_address("s3://s3.example.com:9000/office/a b/c/?object-lock=30d&retry=5s").value();
  EXPECT_TRUE(address.encrypted);
  EXPECT_EQ(address.text(), "s3://s3.example.com:9000/office/a b/c");
  EXPECT_EQ(address.url(address.key_prefix() + "x+~"), "https://s3.example.com:9000/office/a%20b/c/x%2B~");
  EXPECT_EQ(address.object_lock, std::chrono::days(30));
  EXPECT_EQ(address.retry, std::chrono::seconds(5));
}

TEST(S3Address, IsInClearOnlyWhenItSaysSo) {
  EXPECT_TRUE(parse_address("s3://127.0.0.1/bucket").value().url("").starts_with("https://"));
  EXPECT_EQ(parse_address("s3+http://127.0.0.1:1/bucket").value().url(""), "http://127.0.0.1:1/bucket");
}

TEST(S3Address, WhatIsNoneIsRefusedAsWrongUsage) {
  for (const char* address :
       {"s3://", "s3://host", "s3://host/", "s3://host/ab", "s3://ho st/bucket", "s3://host/buc ket",
        "s3://host/bucket//x", "s3://host/bucket/../x", "s3://host/bucket/x\n", "s3://host/bucket?lock=1d",
        "s3://host/bucket?object-lock=soon", "s3://host/bucket?retry=0s"}) {
    const auto parsed = parse_address(address);
    ASSERT_FALSE(parsed) << address;
    EXPECT_EQ(parsed.error().code(), ErrorCode::kUsage) << address;
  }
}

TEST(S3Address, APasswordInItIsNotRepeated) {
  const base::Error error = parse_address("s3://key:hunter2@host/bucket").error();
  EXPECT_EQ(error.text().find("hunter2"), std::string::npos) << error.text();
}

TEST(S3Address, KeysOfListingsAreDecoded) {
  EXPECT_EQ(url_decoded("a%2Fb+c%2B%zz%"), "a/b c+%zz%");
  EXPECT_EQ(url_decoded(percent_encoded("\xff \n/+%", false)), "\xff \n/+%");
}

Environment environment_of(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const char* name) {
    const auto found = values.find(name);
    return found == values.end() ? std::string() : found->second;
  };
}

TEST(S3Credentials, ComeFromTheEnvironment) {
  const auto found = find_credentials(environment_of({{"AWS_ACCESS_KEY_ID", "KEY"},
                                                      {"AWS_SECRET_ACCESS_KEY", "SECRET"},
                                                      {"AWS_SESSION_TOKEN", "TOKEN"},
                                                      {"AWS_DEFAULT_REGION", "eu-west-1"}}))
                         .value();
  EXPECT_EQ(found.access_key, "KEY");
  EXPECT_EQ(found.session_token, "TOKEN");
  EXPECT_EQ(found.region, "eu-west-1");
}

TEST(S3Credentials, ComeFromTheProfileOfTheFileElse) {
  test::TemporaryFolder folder;
  std::ofstream(folder / "credentials") << "[default]\naws_access_key_id=A\naws_secret_access_key=B\n[ops]\n"
                                           " aws_access_key_id = C\n aws_secret_access_key = D=\r\n";
  const auto of = [&](const std::string& profile) {
    return find_credentials(
        environment_of({{"AWS_SHARED_CREDENTIALS_FILE", folder / "credentials"}, {"AWS_PROFILE", profile}}));
  };
  EXPECT_EQ(of("").value().access_key, "A");
  EXPECT_EQ(of("ops").value().secret_key, "D=");
  EXPECT_EQ(of("other").error().code(), ErrorCode::kUsage);
}

TEST(S3Credentials, AreNotRepeatedWhereTheyAreWrong) {
  for (const char* secret : {"hunter2\nHost: x", "hunter2 hunter2"}) {
    const auto found =
        find_credentials(environment_of({{"AWS_ACCESS_KEY_ID", "KEY"}, {"AWS_SECRET_ACCESS_KEY", secret}}));
    EXPECT_EQ(found.error().text().find("hunter2"), std::string::npos);
  }
  EXPECT_EQ(find_credentials(environment_of({{"AWS_ACCESS_KEY_ID", "KEY"}})).error().code(), ErrorCode::kUsage);
  EXPECT_EQ(find_credentials(environment_of({})).error().code(), ErrorCode::kUsage);
}

TEST(S3BackOff, DoublesItsBoundUpToAMostAndStaysWithinIt) {
  http::BackOff back_off;
  auto bound = http::BackOff::kFirst;
  for (int i = 0; i < 12; ++i) {
    const auto wait = back_off.next(static_cast<std::uint64_t>(bound.count()));
    EXPECT_EQ(wait, bound);
    bound = std::min(2 * bound, http::BackOff::kMost);
  }
  EXPECT_EQ(http::BackOff().next(0).count(), 0);
}

}  // namespace
}  // namespace kura::store::s3
