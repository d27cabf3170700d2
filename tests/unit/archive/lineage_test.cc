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
  lineage.went("/d/plan.docx", of_kind("docx"));
  lineage.went("/d/README", of_kind("utf-8 text"));
  ASSERT_NE(lineage.before("/d/plan.docx.[7F3A].evil"), nullptr);
  EXPECT_EQ(lineage.before("/d/plan.docx.[7F3A].evil")->judged.kind, "docx");
  EXPECT_EQ(lineage.before("/d/README.locked")->judged.kind, "utf-8 text");
  EXPECT_EQ(lineage.before("/d/other.docx.locked"), nullptr);
  EXPECT_EQ(lineage.before("/e/plan.docx.locked"), nullptr);
}

TEST(Lineage, AFileUnderTheNameOfAKindIsOneOfItsOwn) {
  Lineage lineage;
  lineage.went("/d/plan.png", of_kind("png"));
  EXPECT_EQ(lineage.before("/d/plan.png.tif"), nullptr);
}

TEST(Lineage, WhatWentFromAnotherFolderIsForgotten) {
  Lineage lineage;
  lineage.went("/d/plan.docx", of_kind("docx"));
  lineage.went("/e/x", of_kind("png"));
  EXPECT_EQ(lineage.before("/d/plan.docx.locked"), nullptr);
}

}  // namespace
}  // namespace kura::archive
