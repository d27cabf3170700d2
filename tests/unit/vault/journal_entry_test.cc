#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "support/hex.h"
#include "vault/journal/chain.h"
#include "vault/journal/entry.h"

namespace kura::vault {
namespace {

using base::ErrorCode;

base::Key seed_of(std::uint8_t value) { return base::Key(base::Bytes(32, value)); }

Event any_event() {
  Event event;
  event.type = *rc::gen::element(EventType::kObject, EventType::kCommit, EventType::kExpire, EventType::kDeleteRequest,
                                 EventType::kAlarm, static_cast<EventType>(200));
  event.who = *rc::gen::resize(20, rc::gen::arbitrary<std::string>());
  event.text = *rc::gen::resize(100, rc::gen::arbitrary<std::string>());
  event.bytes = *rc::gen::arbitrary<std::uint64_t>();
  event.number = *rc::gen::inRange<std::uint64_t>(0, 5);
  event.from = *rc::gen::arbitrary<std::int64_t>();
  event.until = *rc::gen::inRange<std::int64_t>(-2, 2);
  event.refers_to = *rc::gen::inRange<std::uint64_t>(0, 3);
  event.key.fill(*rc::gen::inRange<std::uint8_t>(0, 3));
  event.series.fill(*rc::gen::inRange<std::uint8_t>(0, 3));
  event.objects.resize(*rc::gen::inRange<std::size_t>(0, 4));
  for (store::ObjectId& id : event.objects) id.bytes.fill(*rc::gen::arbitrary<std::uint8_t>());
  if (!event.objects.empty()) event.kind = *rc::gen::element(store::Kind::kPack, store::Kind::kSnapshot);
  return event;
}

// Entries that follow each other, whole.
std::vector<base::Bytes> journal_of(const base::Key& seed, std::vector<Event> events) {
  std::vector<base::Bytes> whole;
  Entry entry;
  for (Event& event : events) {
    entry.event = std::move(event);
    ++entry.sequence;
    entry.time += 5;
    whole.push_back(entry.encode(seed));
    entry.before = hash_of(whole.back());
  }
  return whole;
}

std::vector<base::Bytes> three_entries() {
  const base::Key seed = seed_of(1);
  return journal_of(seed, {{.type = EventType::kBegin, .who = "office", .key = crypto::ed25519_public(seed)},
                           {.type = EventType::kFreeze, .who = "operator"},
                           {.type = EventType::kThaw, .who = "operator"}});
}

// The error of the first entry that is wrong; empty when none is.
std::string problem_of(const std::vector<base::Bytes>& entries, JournalChain chain = JournalChain()) {
  for (const base::Bytes& whole : entries) {
    if (const auto entry = chain.take(whole); !entry) return entry.error().message();
  }
  return {};
}

RC_GTEST_PROP(JournalEntryTest, ReadsBackWhatWasWritten, ()) {
  Entry entry{.sequence = *rc::gen::arbitrary<std::uint64_t>(),
              .time = *rc::gen::arbitrary<std::int64_t>(),
              .before = {},
              .event = any_event()};
  entry.before.bytes.fill(*rc::gen::arbitrary<std::uint8_t>());
  const base::Bytes whole = entry.encode(seed_of(7));
  const auto read = Entry::decode(whole);
  RC_ASSERT(read.has_value());
  RC_ASSERT(*read == entry);
  RC_ASSERT(is_signed_by(whole, crypto::ed25519_public(seed_of(7))));
}

RC_GTEST_PROP(JournalEntryTest, EveryFlippedBitIsSeen, ()) {
  const base::Bytes whole = Entry{.sequence = 3, .time = 4, .before = {}, .event = any_event()}.encode(seed_of(7));
  base::Bytes altered = whole;
  altered[*rc::gen::inRange<std::size_t>(0, whole.size())] ^= static_cast<std::uint8_t>(1U << *rc::gen::inRange(0, 8));
  RC_ASSERT(!Entry::decode(altered) || !is_signed_by(altered, crypto::ed25519_public(seed_of(7))));
}

TEST(JournalEntryTest, EveryCutIsSeen) {
  const base::Bytes whole = three_entries()[0];
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto entry = Entry::decode(base::ByteSpan(whole).first(size));
    ASSERT_FALSE(entry);
    EXPECT_EQ(entry.error().code(), ErrorCode::kDamaged);
  }
}

TEST(JournalEntryTest, ANewerVersionIsToldByItsNumber) {
  base::Bytes whole = three_entries()[0];
  whole[kEntryPrefix] = 9;
  const auto entry = Entry::decode(whole);
  ASSERT_FALSE(entry);
  EXPECT_EQ(entry.error().code(), ErrorCode::kUnsupported);
  EXPECT_THAT(entry.error().message(), ::testing::HasSubstr("version 9"));
}

TEST(JournalEntryTest, ImpossibleSizesAreRefusedBeforeAnythingIsRead) {
  for (const char* prefix : {"00000000", "10000000", "ffffffff", "01000001", "0000"}) {
    EXPECT_FALSE(entry_size(kura::test::hex(prefix))) << prefix;
  }
}

TEST(JournalChainTest, AcceptsWhatAVaultWrote) { EXPECT_EQ(problem_of(three_entries()), ""); }

TEST(JournalChainTest, ADroppedEntryShows) {
  auto entries = three_entries();
  entries.erase(entries.begin() + 1);
  EXPECT_THAT(problem_of(entries), ::testing::HasSubstr("entry 2"));
}

TEST(JournalChainTest, ExchangedEntriesShow) {
  auto entries = three_entries();
  std::swap(entries[1], entries[2]);
  EXPECT_THAT(problem_of(entries), ::testing::HasSubstr("entry 2"));
}

TEST(JournalChainTest, AnAlteredPastShows) {
  const base::Key seed = seed_of(1);
  auto entries = three_entries();
  // Signed by the vault itself, which has changed its mind: the entry after holds on to what was there.
  entries[1] = Entry{.sequence = 2, .time = 10, .before = hash_of(entries[0]), .event = {}}.encode(seed);
  EXPECT_THAT(problem_of(entries), ::testing::HasSubstr("does not follow"));
}

TEST(JournalChainTest, TimeThatRunsBackwardsShows) {
  const base::Key seed = seed_of(1);
  auto entries = three_entries();
  entries[1] = Entry{.sequence = 2, .time = 4, .before = hash_of(entries[0]), .event = {}}.encode(seed);
  EXPECT_THAT(problem_of(entries), ::testing::HasSubstr("time"));
}

TEST(JournalChainTest, AnotherVaultsSignatureShows) {
  auto entries = three_entries();
  entries[1] = Entry{.sequence = 2, .time = 10, .before = hash_of(entries[0]), .event = {}}.encode(seed_of(2));
  EXPECT_THAT(problem_of(entries), ::testing::HasSubstr("signature"));
}

TEST(JournalChainTest, AnotherVaultsJournalIsNotTaken) {
  EXPECT_THAT(problem_of(three_entries(), JournalChain(crypto::ed25519_public(seed_of(2)))),
              ::testing::HasSubstr("another vault"));
}

TEST(JournalChainTest, ASecondBeginningShows) {
  const base::Key seed = seed_of(1);
  auto entries = three_entries();
  const Event begin{.type = EventType::kBegin, .who = "office", .key = crypto::ed25519_public(seed)};
  entries[1] = Entry{.sequence = 2, .time = 10, .before = hash_of(entries[0]), .event = begin}.encode(seed);
  EXPECT_THAT(problem_of(entries), ::testing::HasSubstr("begins once"));
}

TEST(JournalChainTest, GoesOnFromAHeadThatWasProvenBefore) {
  const auto entries = three_entries();
  JournalChain chain;
  ASSERT_TRUE(chain.take(entries[0]));
  EXPECT_EQ(problem_of({entries[1], entries[2]}, JournalChain(*chain.vault(), chain.head())), "");
}

}  // namespace
}  // namespace kura::vault
