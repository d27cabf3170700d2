#include "archive/restore/renamed_files.h"

#include <gtest/gtest.h>

namespace kura::archive {
namespace {

using Gone = std::map<std::string, GoneFileVersion>;
using Came = std::map<std::string, CameFile>;
using Names = std::map<std::string, std::string>;

TEST(RenamedFiles, BrokenOnesAreTheFilesThatWentFromTheSameFolderAtTheSameTime) {
  const RenamedFiles renamed(
      Gone{{"/d/a.docx", {1, 10}}, {"/d/b.docx", {1, 20}}, {"/d/README", {1, 30}}, {"/d/c.docx", {2, 40}}},
      Came{{"/d/a.docx.locked", {1, 10, true}},
           {"/d/b.x7", {1, 20, true}},
           {"/d/README.locked", {1, 30, true}},
           {"/d/c.docx.locked", {1, 40, true}},
           {"/e/a.docx.locked", {1, 10, true}}});
  EXPECT_EQ(renamed.now(),
            (Names{{"/d/a.docx", "/d/a.docx.locked"}, {"/d/b.docx", "/d/b.x7"}, {"/d/README", "/d/README.locked"}}));
}

TEST(RenamedFiles, WhatTheAttackNamedIsItsWorkThoughItLooksWhole) {
  const RenamedFiles renamed(
      Gone{{"/d/a.docx", {1, 10}}, {"/d/b.png", {1, 20}}, {"/d/c.txt", {1, 30}}},
      Came{{"/d/a.docx.locked", {1, 10, true}}, {"/d/b.png.locked", {1, 30, false}}, {"/d/c.txt.old", {1, 33, false}}});
  EXPECT_EQ(renamed.now(), (Names{{"/d/a.docx", "/d/a.docx.locked"}, {"/d/b.png", "/d/b.png.locked"}}));
}

TEST(RenamedFiles, WithoutBrokenOnesNothingIsAnAttacksWork) {
  const RenamedFiles renamed(Gone{{"/d/a.docx", {1, 10}}}, Came{{"/d/a.docx.locked", {1, 10, false}}});
  EXPECT_TRUE(renamed.now().empty());
  EXPECT_FALSE(renamed.has_its_name("/d/z.locked"));
}

TEST(RenamedFiles, AFileUnderTheNameOfAKindIsSomebodysOwn) {
  const RenamedFiles renamed(Gone{{"/d/a.txt", {1, 10}}, {"/d/b.docx", {1, 10}}},
                             Came{{"/d/a.txt.gz", {1, 10, true}}, {"/d/b.docx.evil", {1, 10, true}}});
  EXPECT_EQ(renamed.now(), (Names{{"/d/b.docx", "/d/b.docx.evil"}}));
  EXPECT_FALSE(renamed.has_its_name("/d/a.txt.gz"));
  EXPECT_TRUE(renamed.has_its_name("/d/never-backed-up.docx.evil"));
}

TEST(RenamedFiles, ANameWithoutAnythingIsTheAttacksWhereAsManyFilesWent) {
  const RenamedFiles renamed(
      Gone{{"/d/a.docx", {1, 100'000}}, {"/d/b.docx", {1, 100'000}}},
      Came{{"/d/Xk2", {1, 100'000, true}}, {"/d/Yq9", {1, 100'000, true}}, {"/d/core", {2, 100'000, true}}});
  EXPECT_TRUE(renamed.now().empty());  // which was which nobody can tell
  EXPECT_TRUE(renamed.has_its_name("/d/Xk2"));
  EXPECT_TRUE(renamed.has_its_name("/d/Yq9"));
  EXPECT_FALSE(renamed.has_its_name("/d/core"));
}

TEST(HiddenFiles, TheOnlyOneOfASizeInItsFolderIsFoundForANameThatSaysNothing) {
  HiddenFiles hidden;
  hidden.went("/d/a.docx", 4711);
  hidden.went("/d/b.docx", 100);
  hidden.went("/d/c.docx", 100);
  hidden.went("/d/empty", 0);
  ASSERT_NE(hidden.before("/d/x9Kq", 4711), nullptr);
  EXPECT_EQ(*hidden.before("/d/x9Kq", 4711), "/d/a.docx");
  EXPECT_EQ(hidden.before("/d/x9Kq", 100), nullptr);
  EXPECT_EQ(hidden.before("/d/x9Kq", 4712), nullptr);
  EXPECT_EQ(hidden.before("/d/x9Kq", 0), nullptr);
  EXPECT_EQ(hidden.before("/e/x9Kq", 4711), nullptr);
  EXPECT_EQ(hidden.before("/d/new.png", 4711), nullptr);
}

}  // namespace
}  // namespace kura::archive
