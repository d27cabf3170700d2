#include "vault/journal/journal.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "support/temporary_folder.h"
#include "vault/journal/entry_reader.h"

namespace kura::vault {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using ::testing::HasSubstr;

const base::Key kSeed(base::Bytes(32, 1));

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}

Event note(const std::string& text) { return {.type = EventType::kAlarm, .text = text}; }

class JournalTest : public ::testing::Test {
 protected:
  // With `count` entries.
  void make(std::uint64_t count) {
    auto journal = Journal::create(path_, kSeed, "office", 100);
    ASSERT_TRUE(journal) << journal.error().text();
    for (std::uint64_t i = 2; i <= count; ++i) {
      ASSERT_TRUE((*journal)->append(note("entry " + std::to_string(i)), static_cast<std::int64_t>(100 * i)));
    }
  }
  base::Result<std::unique_ptr<Journal>> open() const { return Journal::open(path_, kSeed); }
  std::uint64_t entries() const {
    const auto journal = open();
    return journal ? (*journal)->head().sequence : 0;
  }
  // Where entry `sequence` begins.
  std::size_t begin_of(std::uint64_t sequence) const {
    const base::UniqueFd file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    EntryReader reader(file.get(), path_);
    for (std::uint64_t i = 1; i < sequence; ++i) EXPECT_TRUE(reader.next());
    return reader.position();
  }

  kura::test::TemporaryFolder folder_;
  std::string path_ = folder_ / "journal";
};

TEST_F(JournalTest, WhatACrashLeftOfMakingOneIsMadeAnew) {
  write(path_ + ".new", "torn");
  make(1);
  EXPECT_EQ(entries(), 1U);
  EXPECT_EQ(Journal::create(path_, kSeed, "office", 100).error().code(), ErrorCode::kExists);
}

TEST_F(JournalTest, KeepsWhatWasAppendedOverAReopen) {
  make(3);
  auto journal = open();
  ASSERT_TRUE(journal);
  EXPECT_EQ((*journal)->head().sequence, 3U);
  EXPECT_EQ((*journal)->head().time, 300);
  const auto receipt = (*journal)->append(note("four"), 400);
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->sequence, 4U);
  std::vector<std::string> texts;
  const auto head = verify_journal(path_, crypto::ed25519_public(kSeed),
                                   [&](const Entry& entry, base::ByteSpan) { texts.push_back(entry.event.text); });
  ASSERT_TRUE(head) << head.error().text();
  EXPECT_EQ(head->hash, hash_of(receipt->entry));
  EXPECT_EQ(texts, (std::vector<std::string>{"", "entry 2", "entry 3", "four"}));
}

TEST_F(JournalTest, IsNotMadeOverAnotherOne) {
  make(1);
  const auto journal = Journal::create(path_, kSeed, "office", 100);
  ASSERT_FALSE(journal);
  EXPECT_EQ(journal.error().code(), ErrorCode::kExists);
}

TEST_F(JournalTest, TwoOfOneNameDoNotBeginAlike) {
  const auto one = Journal::create(path_, kSeed, "office", 100);
  const auto two = Journal::create(path_ + "2", kSeed, "office", 100);
  EXPECT_NE((*one)->head().hash, (*two)->head().hash);
}

TEST_F(JournalTest, TimeNeverRunsBackwards) {
  make(2);
  auto journal = open();
  EXPECT_EQ((*journal)->append(note("a clock that jumped back"), 50)->time, 200);
}

TEST_F(JournalTest, ASecondProcessIsTurnedAway) {
  make(1);
  const auto first = open();
  const auto second = open();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), ErrorCode::kConflict);
}

TEST_F(JournalTest, AnotherVaultDoesNotGoOnWithIt) {
  make(2);
  const auto journal = Journal::open(path_, base::Key(base::Bytes(32, 2)));
  ASSERT_FALSE(journal);
  EXPECT_THAT(journal.error().message(), HasSubstr("another vault"));
}

// A crash may leave any part of the last entry, and zeros where pages were not written.
TEST_F(JournalTest, ATornLastEntryIsMovedAside) {
  make(3);
  const std::string whole = contents(path_);
  const std::size_t begin = begin_of(3);
  for (std::size_t size = begin + 1; size < whole.size(); ++size) {
    write(path_, whole.substr(0, size));
    ASSERT_EQ(entries(), 2U) << size;
    ASSERT_EQ(contents(path_), whole.substr(0, begin));
    ASSERT_EQ(contents(path_ + ".torn-" + std::to_string(begin)), whole.substr(begin, size - begin));
    write(path_, whole.substr(0, size) + std::string(whole.size() - size, '\0'));
    ASSERT_EQ(entries(), 2U) << size << " and zeros";
  }
  ASSERT_TRUE((*open())->append(note("three again"), 300));
  EXPECT_EQ(entries(), 3U);
}

// Whatever is wrong before the last entry is no crash: nothing is cut away, and the vault does not open it.
RC_GTEST_FIXTURE_PROP(JournalTest, AFlippedBitBeforeTheLastEntryIsToldAndNothingIsCut, ()) {
  fs::remove(path_);
  make(4);
  std::string altered = contents(path_);
  const auto at = *rc::gen::inRange<std::size_t>(0, begin_of(4));
  altered[at] = static_cast<char>(altered[at] ^ (1 << *rc::gen::inRange(0, 8)));
  write(path_, altered);
  const auto journal = open();
  RC_ASSERT(!journal);
  RC_ASSERT(contents(path_) == altered);
}

TEST_F(JournalTest, AnEmptyFileIsNoJournal) {
  write(path_, "");
  const auto journal = open();
  ASSERT_FALSE(journal);
  EXPECT_EQ(journal.error().code(), ErrorCode::kDamaged);
}

TEST_F(JournalTest, VerifyingSeesAForgedSignatureThatOpeningDoesNotLookAt) {
  make(1);
  const std::string first = contents(path_);
  const Entry forged{.sequence = 2, .time = 200, .before = hash_of(base::as_bytes(first)), .event = note("forged")};
  const base::Bytes second = forged.encode(base::Key(base::Bytes(32, 2)));
  const Entry honest{.sequence = 3, .time = 300, .before = hash_of(second), .event = note("honest")};
  const base::Bytes third = honest.encode(kSeed);
  write(path_, first + std::string(base::as_text(second)) + std::string(base::as_text(third)));
  EXPECT_TRUE(open());
  const auto head = verify_journal(path_, std::nullopt, [](const Entry&, base::ByteSpan) {});
  ASSERT_FALSE(head);
  EXPECT_THAT(head.error().message(), HasSubstr("entry 2"));
}

TEST_F(JournalTest, ReadsWholeEntriesOfAnyRange) {
  make(6);
  const auto journal = open();
  const std::string whole = contents(path_);
  std::vector<std::size_t> begins = {0};  // of entry 1, 2, ..., and the end
  for (std::uint64_t sequence = 1; sequence <= 7; ++sequence) begins.push_back(begin_of(sequence));
  for (std::uint64_t from = 1; from <= 6; ++from) {
    const std::size_t begin = begins[from];
    for (std::size_t limit = 0; limit <= whole.size() - begin + 1; ++limit) {
      const auto bytes = (*journal)->read(from, limit);
      ASSERT_TRUE(bytes);
      std::size_t expected = begins[from + 1];  // one at least
      for (std::uint64_t next = from + 2; next <= 7 && begins[next] <= begin + limit; ++next) expected = begins[next];
      ASSERT_EQ(base::as_text(*bytes), whole.substr(begin, expected - begin)) << from << " " << limit;
    }
  }
  EXPECT_TRUE((*journal)->read(7, 100)->empty());
  EXPECT_TRUE((*journal)->read(0, 100)->empty());
}

// Else it would be written, and nobody could open the journal any more.
TEST_F(JournalTest, WhatNoReaderWouldTakeIsNotWritten) {
  make(2);
  auto journal = open();
  const std::string before = contents(path_);
  for (const Event& event : {note(std::string(kTextLimit + 1, 'x')),
                             Event{.type = EventType::kRevoke, .who = std::string(kNameLimit + 1, 'x')}}) {
    const auto refused = (*journal)->append(event, 300);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), ErrorCode::kUsage);
  }
  EXPECT_EQ(contents(path_), before);
  EXPECT_TRUE((*journal)->append({.who = std::string(kNameLimit, 'x'), .text = std::string(kTextLimit, 'x')}, 300));
  journal->reset();
  EXPECT_EQ(entries(), 3U);
}

TEST_F(JournalTest, AFullDiskLeavesItAsItWas) {
  make(2);
  auto journal = open();
  const std::string before = contents(path_);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlimit small{.rlim_cur = before.size() + 20, .rlim_max = limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto refused = (*journal)->append(note("too much"), 300);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kNoSpace);
  EXPECT_EQ(contents(path_), before);
  EXPECT_TRUE((*journal)->append(note("fits again"), 300));
}

TEST_F(JournalTest, ManyThreadsAppendOneChain) {
  make(1);
  auto journal = open();
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&] {
        for (int i = 0; i < 25; ++i) {
          EXPECT_TRUE((*journal)->append(note("x"), 1000));
          EXPECT_TRUE((*journal)->read(1, 500));
        }
      });
    }
  }
  const auto head = verify_journal(path_, std::nullopt, [](const Entry&, base::ByteSpan) {});
  ASSERT_TRUE(head) << head.error().text();
  EXPECT_EQ(head->sequence, 101U);
}

}  // namespace
}  // namespace kura::vault
