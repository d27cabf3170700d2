#include "detect/judge/names.h"

#include <gtest/gtest.h>

#include "detect/inspect/pairing.h"

namespace kura::detect {
namespace {

TEST(NamesBefore, WhatWasPutBehindANameIsTakenOff) {
  EXPECT_EQ(names_before("report.docx.locked"), (std::vector<std::string>{"report.docx", "report"}));
  const auto names = names_before("/srv/a.b/report.docx.[id-7F3A].evil");
  ASSERT_GE(names.size(), 2U);
  EXPECT_EQ(names[0], "/srv/a.b/report.docx.[id-7F3A]");
  EXPECT_EQ(names[1], "/srv/a.b/report.docx");
}

TEST(NamesBefore, AFileWithoutAnExtensionHadAName) {
  EXPECT_EQ(names_before("/srv/README.locked"), std::vector<std::string>{"/srv/README"});
}

TEST(NamesBefore, ANameWithoutAnExtensionHasNone) {
  EXPECT_TRUE(names_before("report").empty());
  EXPECT_TRUE(names_before(".bashrc").empty());
  EXPECT_TRUE(names_before("/srv/a.b/report").empty());
  EXPECT_TRUE(names_before("").empty());
  EXPECT_TRUE(names_before(".").empty());
}

TEST(Pairing, FindsEachFileByNameByWhatWasPutBehindItByExtensionAndBySize) {
  const std::vector<FoundFile> before = {{"a.docx", 10}, {"b.xlsx", 20}, {"c.pdf", 90'000}, {"d.txt", 500'000}};
  const std::vector<FoundFile> after = {{"a.docx", 11}, {"b.xlsx.locked", 20}, {"c.evil", 1}, {"x8f3", 500'300}};
  const auto partners = pair_up(before, after);
  EXPECT_EQ(partners[0], 0U);
  EXPECT_EQ(partners[1], 1U);
  EXPECT_EQ(partners[2], 2U);
  EXPECT_EQ(partners[3], 3U);
}

TEST(Pairing, GivesNoFileAwayTwiceAndGuessesNotAmongSeveral) {
  const std::vector<FoundFile> before = {{"a.docx", 1000}, {"b.docx", 1000}};
  const std::vector<FoundFile> after = {{"x1", 1000}, {"x2", 1000}};
  const auto partners = pair_up(before, after);
  EXPECT_FALSE(partners[0]);
  EXPECT_FALSE(partners[1]);
}

}  // namespace
}  // namespace kura::detect
