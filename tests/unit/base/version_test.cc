#include "base/version.h"

#include <regex>
#include <string>

#include <gtest/gtest.h>

namespace kura::base {
namespace {

TEST(Version, IsThreeNumbers) {
  EXPECT_TRUE(std::regex_match(std::string(version()), std::regex(R"(\d+\.\d+\.\d+)"))) << version();
}

TEST(Version, NamesTheBuild) { EXPECT_FALSE(build_type().empty()); }

}  // namespace
}  // namespace kura::base
