#include "vault/pull/followed_journal.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/temporary_folder.h"
#include "vault/journal/journal.h"

namespace kura::vault {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

// A vault's journal, and another vault's copy of it.
class FollowedJournalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    theirs_ = *Journal::create(folder_ / "theirs", seed_, "office", 1);
    open();
  }
  void open() {
    copy_.reset();
    auto opened = FollowedJournal::open(path_, crypto::ed25519_public(seed_));
    ASSERT_TRUE(opened) << opened.error().text();
    copy_ = *std::move(opened);
  }
  void add(const std::string& text) { ASSERT_TRUE(theirs_->append({.type = EventType::kAlarm, .text = text}, 2)); }
  base::Bytes answer(std::size_t limit = 4U << 20) const { return *theirs_->read(copy_->next_from(), limit); }
  FollowedJournal::Taken take(const base::Bytes& piece) {
    const auto taken = copy_->take(piece);
    EXPECT_TRUE(taken);
    return taken.value_or(FollowedJournal::Taken());
  }
  std::vector<std::string> texts() const {
    std::vector<std::string> texts;
    EXPECT_TRUE(copy_->for_each([&](const Entry& entry) { texts.push_back(entry.event.text); }));
    return texts;
  }

  kura::test::TemporaryFolder folder_;
  const std::string path_ = folder_ / "copy";
  const base::Key seed_{base::Bytes(32, 9)};
  std::unique_ptr<Journal> theirs_;
  std::unique_ptr<FollowedJournal> copy_;
};

TEST_F(FollowedJournalTest, GoesOnWhereItWasAlsoAfterARestart) {
  for (int i = 0; i < 5; ++i) {
    add(std::to_string(i));
    EXPECT_EQ(take(answer()).entries, i == 0 ? 2U : 1U);
    EXPECT_EQ(take(answer()).entries, 0U);
    open();
    EXPECT_EQ(copy_->head(), theirs_->head());
  }
  EXPECT_EQ(texts(), (std::vector<std::string>{"", "0", "1", "2", "3", "4"}));
}

TEST_F(FollowedJournalTest, AJournalThatEndsBeforeIsARollback) {
  add("a");
  take(answer());
  const auto taken = take({});
  EXPECT_EQ(taken.continuation, Continuation::kRollback);
  EXPECT_EQ(copy_->head(), theirs_->head());
}

TEST_F(FollowedJournalTest, AnotherEntryThatTheVaultSignedIsAFork) {
  add("a");
  take(answer());
  const JournalHead head = copy_->head();
  Entry other = *Entry::decode(*theirs_->read(head.sequence, 0));
  other.event.text = "b";
  EXPECT_EQ(take(other.encode(seed_)).continuation, Continuation::kFork);
  EXPECT_EQ(take(other.encode(base::Key(base::Bytes(32, 1)))).continuation, Continuation::kGarbage);
  EXPECT_EQ(copy_->head(), head);
}

TEST_F(FollowedJournalTest, WhatProvesRightBeforeGarbageIsKept) {
  take(answer());
  add("a");
  add("b");
  base::Bytes piece = answer();
  piece[piece.size() - 10] ^= 1;  // in the last signature
  const auto taken = take(piece);
  EXPECT_EQ(taken.continuation, Continuation::kGarbage);
  EXPECT_EQ(taken.entries, 1U);
  open();
  EXPECT_EQ(copy_->head().sequence, 2U);
  EXPECT_EQ(take(answer()).entries, 1U);
}

TEST_F(FollowedJournalTest, AnotherVaultsJournalIsGarbage) {
  const auto other = *Journal::create(folder_ / "other", base::Key(base::Bytes(32, 4)), "office", 1);
  EXPECT_EQ(take(*other->read(1, 1U << 20)).continuation, Continuation::kGarbage);
  EXPECT_EQ(take({}).continuation, Continuation::kGarbage);
  EXPECT_EQ(copy_->head().sequence, 0U);
}

TEST_F(FollowedJournalTest, PiecesThatAreCutOrFlippedAnywhereAddNothingWrong) {
  add("a");
  add("b");
  const base::Bytes piece = answer();
  for (std::size_t at = 0; at < piece.size(); at += 3) {
    fs::remove(path_);
    open();
    base::Bytes flipped = piece;
    flipped[at] ^= 4;
    const auto taken = copy_->take(flipped);
    EXPECT_TRUE(!taken || taken->continuation != Continuation::kGoesOn || taken->entries < 3) << at;
    fs::remove(path_);
    open();
    EXPECT_NE(take({piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(at)}).entries, 3U) << at;
  }
}

TEST_F(FollowedJournalTest, WhatACrashLeavesIsMovedAsideAndComesAgain) {
  add("a");
  add("b");
  take(answer());
  copy_.reset();
  const auto whole = fs::file_size(path_);
  for (const std::uint64_t size : {whole - 1, whole - 100, std::uintmax_t{3}}) {
    fs::resize_file(path_, size);
    open();
    EXPECT_LT(copy_->head().sequence, 3U);
    EXPECT_EQ(take(answer()).continuation, Continuation::kGoesOn);
    EXPECT_EQ(copy_->head(), theirs_->head());
    copy_.reset();
  }
  std::size_t aside = 0;
  for (const auto& file : fs::directory_iterator(folder_.path())) aside += file.path().string().contains(".torn-");
  EXPECT_GE(aside, 2U);
}

TEST_F(FollowedJournalTest, ANewerVersionIsNoGarbage) {
  take(answer());
  add("a");
  base::Bytes piece = answer();
  const std::size_t second = theirs_->read(1, 0)->size();
  piece[second + kEntryPrefix] = 2;
  EXPECT_EQ(copy_->take(piece).error().code(), ErrorCode::kUnsupported);
  EXPECT_EQ(copy_->head().sequence, 1U);
}

}  // namespace
}  // namespace kura::vault
