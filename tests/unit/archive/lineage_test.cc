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
  ASSERT_NE(lineage.moved("/d/x9Kq", 8), nullptr);
  EXPECT_EQ(lineage.moved("/d/x9Kq", 8)->judged.kind, "png");
  EXPECT_EQ(lineage.moved("/d/x9Kq", 9), nullptr);
  EXPECT_EQ(lineage.moved("/e/x9Kq", 8), nullptr);
  lineage.went("/e/c", 9, of_kind("text"));
  EXPECT_EQ(lineage.moved("/e/x", 8), nullptr);
}

}  // namespace
}  // namespace kura::archive
