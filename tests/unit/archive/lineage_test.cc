#include "archive/backup/lineage.h"

#include <gtest/gtest.h>

namespace kura::archive {
namespace {

JudgedVersion of_kind(const char* kind) {
  JudgedVersion version;
  version.judged.kind = kind;
  return version;
}

TEST(Lineage, AFileWithSomethingBehindTheNameOfOneThatWentIsThatOne) {
  Lineage lineage;
  lineage.went("/d/plan.docx", 7, of_kind("docx"));
  lineage.went("/d/README", 7, of_kind("utf-8 text"));
  ASSERT_NE(lineage.before("/d/plan.docx.[7F3A].evil"), nullptr);
  EXPECT_EQ(lineage.before("/d/plan.docx.[7F3A].evil")->judged.kind, "docx");
  EXPECT_EQ(lineage.before("/d/README.locked")->judged.kind, "utf-8 text");
  EXPECT_EQ(lineage.before("/d/other.docx.locked"), nullptr);
  EXPECT_EQ(lineage.before("/e/plan.docx.locked"), nullptr);
}

TEST(Lineage, AFileUnderTheNameOfAKindIsOneOfItsOwn) {
  Lineage lineage;
  lineage.went("/d/plan.png", 7, of_kind("png"));
  EXPECT_EQ(lineage.before("/d/plan.png.tif"), nullptr);
}

TEST(Lineage, WhatWentFromAnotherFolderIsForgotten) {
  Lineage lineage;
  lineage.went("/d/plan.docx", 7, of_kind("docx"));
  lineage.went("/e/x", 7, of_kind("png"));
  EXPECT_EQ(lineage.before("/d/plan.docx.locked"), nullptr);
}

TEST(Lineage, TheSameFileUnderAnotherNameIsFoundByItsInode) {
  Lineage lineage;
  lineage.went("/d/a.docx", 7, of_kind("docx"));
  lineage.went("/d/b.png", 8, of_kind("png"));
  ASSERT_NE(lineage.moved("/d/x9Kq", 8, 1), nullptr);
  EXPECT_EQ(lineage.moved("/d/x9Kq", 8, 1)->judged.kind, "png");
  EXPECT_EQ(lineage.moved("/d/x9Kq", 9, 1), nullptr);
  EXPECT_EQ(lineage.moved("/e/x9Kq", 8, 1), nullptr);
  lineage.went("/e/c", 9, of_kind("text"));
  EXPECT_EQ(lineage.moved("/e/x", 8, 1), nullptr);
}

TEST(Lineage, AnotherFileIsFoundByASizeThatOnlyOneHad) {
  Lineage lineage;
  for (const auto& [name, size] :
       {std::pair("/d/a.docx", 4711U), std::pair("/d/b.png", 100U), std::pair("/d/c.png", 100U)}) {
    JudgedVersion version = of_kind("docx");
    version.size = size;
    lineage.went(name, size + 7, version);
  }
  EXPECT_NE(lineage.moved("/d/x9Kq", 1, 4711), nullptr);
  EXPECT_EQ(lineage.moved("/d/x9Kq", 1, 100), nullptr);
  EXPECT_EQ(lineage.moved("/d/x9Kq", 1, 4712), nullptr);
  EXPECT_EQ(lineage.moved("/e/x9Kq", 1, 4711), nullptr);
}

}  // namespace
}  // namespace kura::archive
