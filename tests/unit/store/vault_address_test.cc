#include <gtest/gtest.h>

#include "store/vault/address.h"
#include "store/vault/answers.h"
#include "store/vault_listing.h"

namespace kura::store {
namespace {

using base::ErrorCode;

TEST(VaultAddressTest, NamesHostPortAndRepository) {
  const auto plain = vault::parse_address("https://vault.example.com/office");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->text(), "https://vault.example.com:7443/office");
  EXPECT_EQ(vault::parse_address("https://10.0.0.1:99/a/")->text(), "https://10.0.0.1:99/a");
  const auto six = vault::parse_address("https://[fd00::1]:99/a");
  ASSERT_TRUE(six);
  EXPECT_EQ(six->host, "[fd00::1]");
  EXPECT_EQ(six->port, 99);
  EXPECT_EQ(six->identity_folder("/state"), "/state/vaults/[fd00::1]_99");
  EXPECT_EQ(vault::parse_address("https://[fd00::1]/a")->port, 7443);
  EXPECT_EQ(vault::parse_address("https://vault", false)->repository, "");
}

TEST(VaultAddressTest, WhatIsNoneIsRefused) {
  for (const char* text :
       {"", "http://v/a", "https://", "https:///a", "https://v", "https://v/", "https://v:0/a", "https://v:70000/a",
        "https://v:x/a", "https://v:/a", "https://v/a/b", "https://u@v/a", "https://v/a?b", "https://v/a b",
        "https://v/..%2f", "https://[fd00::1/a", "https://fd00::1/a"}) {
    const auto address = vault::parse_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().code(), ErrorCode::kUsage);
  }
}

TEST(VaultListingTest, ReadsALineAnObject) {
  const std::string name(64, 'a');
  const auto objects = parse_vault_listing(name + " 5 1700000000\n" + name + " 0 -1\n");
  ASSERT_TRUE(objects);
  ASSERT_EQ(objects->size(), 2U);
  EXPECT_EQ((*objects)[0].size, 5U);
  EXPECT_EQ((*objects)[1].received, -1);
  EXPECT_TRUE(parse_vault_listing("")->empty());
}

TEST(VaultListingTest, MalformedLinesAreDamage) {
  const std::string name(64, 'a');
  for (const std::string& text : {name, name + " 5", name + " x 1\n", name + " 5 1 2\n", name + "a 5 1\n",
                                  "\n" + name + " 5 1\n", name + " 99999999999999999999 1\n", name + " -5 1\n"}) {
    EXPECT_FALSE(parse_vault_listing(text)) << text;
  }
}

TEST(VaultAnswersTest, AnErrorHasTheVaultsCodeAndItsWordsMadeSafe) {
  http::Response response{.status = 409, .headers = {{"kura-code", "conflict"}}, .body = {}};
  const std::string body = R"({"code":"conflict","message":"gone \u001b[31m","hint":"again"})";
  response.body.assign(body.begin(), body.end());
  const base::Error error = vault::error_of(response);
  EXPECT_EQ(error.code(), ErrorCode::kConflict);
  EXPECT_EQ(error.hint(), "again");
  EXPECT_EQ(error.message().find('\x1b'), std::string::npos);
  response.headers.clear();
  EXPECT_EQ(vault::error_of(response).code(), ErrorCode::kIo);
}

}  // namespace
}  // namespace kura::store
