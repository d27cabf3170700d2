#include "detect/incident/change_ledger.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace kura::detect {
namespace {

SetJudgement after(Suspicion before, unsigned turned, unsigned whole) {
  ChangeLedger ledger(before);
  for (unsigned i = 0; i < turned; ++i) ledger.changed("/d/f" + std::to_string(i), Verdict::kBroken, true);
  for (unsigned i = 0; i < whole; ++i) ledger.changed("/d/w", Verdict::kValid, false);
  return std::move(ledger).judge();
}

TEST(ChangeLedger, ThreeFilesThatTurnedAreAnAttackAndOneIsNot) {
  EXPECT_EQ(after({}, 1, 5).verdict, SetVerdict::kClean);
  EXPECT_EQ(after({}, 2, 5).verdict, SetVerdict::kSuspect);
  EXPECT_EQ(after({}, 3, 5).verdict, SetVerdict::kAttacked);
}

TEST(ChangeLedger, OneFileABackupAddsUp) {
  Suspicion suspicion;
  SetVerdict last = SetVerdict::kClean;
  for (unsigned backup = 1; backup <= 4; ++backup) {
    ChangeLedger ledger(suspicion);
    for (unsigned i = 1; i < backup; ++i) ledger.still_broken();
    ledger.changed("/d/f" + std::to_string(backup), Verdict::kBroken, true);
    for (int i = 0; i < 10; ++i) ledger.changed("/d/w", Verdict::kValid, false);
    const SetJudgement judged = std::move(ledger).judge();
    suspicion = judged.suspicion;
    last = judged.verdict;
  }
  EXPECT_EQ(last, SetVerdict::kAttacked);
}

// A thousand changes a day, one of them a false alarm in ten days.
TEST(ChangeLedger, RareFalseAlarmsAmongManyChangesDoNotAddUp) {
  Suspicion suspicion;
  for (int day = 0; day < 365; ++day) {
    ChangeLedger ledger(suspicion);
    if (day % 10 == 0) ledger.changed("/d/odd", Verdict::kBroken, true);
    for (int i = 0; i < 1000; ++i) ledger.changed("/d/w", Verdict::kValid, false);
    const SetJudgement judged = std::move(ledger).judge();
    suspicion = judged.suspicion;
    EXPECT_EQ(judged.verdict, SetVerdict::kClean) << day;
  }
}

TEST(ChangeLedger, WhatWasAttackedStaysSoUntilTheFilesAreWhole) {
  const SetJudgement first = after({}, 3, 0);
  ChangeLedger second(first.suspicion);
  for (int i = 0; i < 3; ++i) second.still_broken();
  const SetJudgement still = std::move(second).judge();
  EXPECT_EQ(still.verdict, SetVerdict::kAttacked);
  ChangeLedger third(still.suspicion);
  for (int i = 0; i < 3; ++i) third.changed("/d/f", Verdict::kValid, false);
  EXPECT_EQ(std::move(third).judge().verdict, SetVerdict::kClean);
}

TEST(ChangeLedger, FilesThatCameUnderTheNameOfOnesThatWentAreTheSameFiles) {
  ChangeLedger ledger({});
  for (const std::string name : {"a.docx", "b.xlsx", "c.pdf"}) {
    ledger.vanished("/d", name, Verdict::kValid);
    ledger.appeared("/d", name + ".locked", {.verdict = Verdict::kBroken});
  }
  EXPECT_EQ(std::move(ledger).judge().verdict, SetVerdict::kAttacked);
}

TEST(ChangeLedger, AnotherExtensionInPlaceOfAFilesOwnIsTheSameFile) {
  ChangeLedger ledger({});
  for (const std::string name : {"a.docx", "b.xlsx", "README"}) {
    ledger.vanished("/d", name, Verdict::kValid);
    ledger.appeared("/d", name.substr(0, name.find('.')) + ".x7f3a", {.verdict = Verdict::kBroken});
  }
  EXPECT_EQ(std::move(ledger).judge().verdict, SetVerdict::kAttacked);
}

TEST(ChangeLedger, ABrokenFileThatGoesHidesNoneThatTurns) {
  ChangeLedger ledger({.broken = 2});
  ledger.still_broken();
  ledger.vanished("/d", "old", Verdict::kBroken);
  ledger.changed("/d/a", Verdict::kBroken, true);
  const SetJudgement judged = std::move(ledger).judge();
  EXPECT_GT(judged.suspicion.fast, 0);
  EXPECT_EQ(judged.suspicion.broken, 1U);
}

TEST(ChangeLedger, RandomNamesCountByFolderAndHalf) {
  ChangeLedger ledger({});
  for (int i = 0; i < 5; ++i) {
    ledger.vanished("/d", "f" + std::to_string(i) + ".docx", Verdict::kValid);
    ledger.appeared("/d", "x" + std::to_string(i * 7919), {.verdict = Verdict::kBroken});
  }
  EXPECT_EQ(std::move(ledger).judge().verdict, SetVerdict::kAttacked);
}

TEST(ChangeLedger, BrokenFilesThatOnlyCameAreNoAttack) {
  ChangeLedger ledger({});
  for (int i = 0; i < 5; ++i)
    ledger.appeared("/downloads", "part" + std::to_string(i) + ".zip", {.verdict = Verdict::kBroken});
  for (int i = 0; i < 200; ++i) ledger.appeared("/downloads", "f" + std::to_string(i), {.verdict = Verdict::kValid});
  EXPECT_EQ(std::move(ledger).judge().verdict, SetVerdict::kClean);
}

TEST(ChangeLedger, ARansomNoteInThreeFoldersIsSuspect) {
  ChangeLedger ledger({});
  for (const std::string folder : {"/a", "/b", "/c"})
    ledger.appeared(folder, "README_NOW.txt", {.verdict = Verdict::kValid, .is_note = true});
  EXPECT_EQ(std::move(ledger).judge().verdict, SetVerdict::kSuspect);
}

// Whatever else changes: more that turned never makes it look better.
RC_GTEST_PROP(ChangeLedgerProperty, MoreThatTurnedIsNeverLessSuspect, ()) {
  const auto turned = *rc::gen::inRange(0U, 10U);
  const auto whole = *rc::gen::inRange(0U, 300U);
  const Suspicion before{.fast = *rc::gen::inRange(0, 15) * 1.0, .slow = 0, .attacked = false, .broken = 0};
  RC_ASSERT(after(before, turned, whole).verdict <= after(before, turned + 1, whole).verdict);
}

TEST(ChangeLedger, OneThatTurnedUnderAnyNameCountsAsUnderItsOwn) {
  ChangeLedger ledger{Suspicion()};
  for (int i = 0; i < 3; ++i) {
    ledger.vanished("/d", "file" + std::to_string(i) + ".docx", Verdict::kValid);
    ledger.appeared("/d", "x" + std::to_string(i * 7919), {.verdict = Verdict::kBroken, .turned = true});
  }
  EXPECT_EQ(std::move(ledger).judge().verdict, SetVerdict::kAttacked);
}

}  // namespace
}  // namespace kura::detect
