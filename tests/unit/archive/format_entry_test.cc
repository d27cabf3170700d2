#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "archive/format/limits.h"
#include "support/archive/format_samples.h"

namespace kura::archive {
namespace {

using base::Bytes;
using base::Encoder;
using base::ErrorCode;
using test::digest_of;
using test::expect_error;
using test::sample_file;

Bytes encoded(const Entry& entry) {
  Encoder out;
  entry.encode(out);
  return out.take();
}
base::Result<Entry> decode_entry(base::ByteSpan listing) { return Entry::decode_front(listing); }
base::Result<Entry> recode(const Entry& entry) { return decode_entry(encoded(entry)); }

Entry entry_of(EntryType type) {
  Entry entry;
  entry.type = type;
  entry.name = "name";
  if (type == EntryType::kSymlink) entry.target = "../x";
  if (type == EntryType::kCharDevice || type == EntryType::kBlockDevice) {
    entry.device_major = 4294967295U;
    entry.device_minor = 1;
  }
  if (type == EntryType::kFolder) entry.content = {.depth = 2, .ids = {digest_of(9)}};
  return entry;
}

// An entry of a file up to its fields, and then `fields`.
Bytes file_with(const Encoder& fields, EntryType type = EntryType::kFile) {
  Encoder rest;
  rest.u8(static_cast<std::uint8_t>(type)).string("n").varint(0).varint(0).varint(0).zigzag(0).varint(0);
  rest.raw(fields.bytes());
  return Encoder().string(rest.bytes()).take();
}
Encoder required_of_file() { return Encoder().varint(1).string("\5").varint(2).string(std::string_view("\0", 1)); }

template <typename Change>
void expect_refused(std::string_view says, Change change) {
  Entry entry = sample_file();
  change(entry);
  expect_error(recode(entry), ErrorCode::kDamaged, says);
}

TEST(EntryFormatTest, ReadsBackEveryType) {
  EXPECT_EQ(recode(sample_file()), sample_file());
  for (std::uint8_t type = 1; type <= 7; ++type) {
    const Entry entry = entry_of(static_cast<EntryType>(type));
    EXPECT_EQ(recode(entry), entry) << int{type};
  }
}

RC_GTEST_PROP(EntryFormatTest, ReadsBackWhatItWrites,
              (std::uint32_t uid, std::uint32_t gid, std::int64_t seconds, std::uint64_t size,
               const std::vector<std::uint8_t>& ids)) {
  Entry entry = sample_file();
  const auto name = *rc::gen::container<std::string>(rc::gen::arbitrary<char>());
  RC_PRE(is_safe_name(name));
  entry.name = name;
  entry.mode = *rc::gen::inRange<std::uint32_t>(0, 010000);
  entry.uid = uid;
  entry.gid = gid;
  entry.mtime_seconds = seconds;
  entry.mtime_nanoseconds = *rc::gen::inRange<std::uint32_t>(0, 1'000'000'000);
  entry.size = size;
  entry.extents.reset();
  entry.content = {.depth = static_cast<std::uint8_t>(ids.empty() ? 0 : 3), .ids = {}};
  for (const std::uint8_t id : ids) entry.content.ids.push_back(digest_of(id));
  RC_ASSERT(recode(entry).value() == entry);
}

TEST(EntryFormatTest, ReadsEntriesOneAfterAnother) {
  Encoder out;
  sample_file().encode(out);
  entry_of(EntryType::kFifo).encode(out);
  base::ByteSpan listing = out.bytes();
  EXPECT_EQ(Entry::decode_front(listing), sample_file());
  EXPECT_EQ(Entry::decode_front(listing), entry_of(EntryType::kFifo));
  EXPECT_TRUE(listing.empty());
}

TEST(EntryFormatTest, TellsWhetherTheFirstEntryIsAllThere) {
  const Bytes whole = encoded(sample_file());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto front = Entry::front_size(base::ByteSpan(whole).first(size));
    ASSERT_TRUE(front) << size;
    EXPECT_EQ(*front, std::nullopt) << size;
    expect_error(decode_entry(base::ByteSpan(whole).first(size)), ErrorCode::kDamaged, "within an entry");
  }
  Bytes more = whole;
  more.resize(more.size() + 50);
  EXPECT_EQ(Entry::front_size(more).value(), whole.size());
}

TEST(EntryFormatTest, RefusesAnEntryThatIsTooLargeOrHasASizeThatIsNone) {
  expect_error(Entry::front_size(Encoder().varint(kEntryLimit + 1).bytes()), ErrorCode::kDamaged, "larger");
  EXPECT_EQ(Entry::front_size(Encoder().varint(kEntryLimit).bytes()).value(), std::nullopt);
  expect_error(Entry::front_size(Bytes{0x81, 0x00}), ErrorCode::kDamaged, "shortest form");
  expect_error(Entry::front_size(Bytes(20, 0xff)), ErrorCode::kDamaged, "wider");
}

TEST(EntryFormatTest, RefusesNamesThatLeadElsewhere) {
  for (const std::string& name : {std::string(), std::string("."), std::string(".."), std::string("a/b"),
                                  std::string("/"), std::string("a\0b", 3), std::string(256, 'x')}) {
    expect_refused("", [&](Entry& entry) { entry.name = name; });
    EXPECT_FALSE(is_safe_name(name));
  }
  for (const std::string& name : {std::string("..."), std::string(".a"), std::string("\n"), std::string(255, 'x')}) {
    EXPECT_TRUE(is_safe_name(name));
  }
}

TEST(EntryFormatTest, RefusesNumbersOutOfRange) {
  expect_refused("too large", [](Entry& entry) { entry.mode = 010000; });
  expect_refused("too large", [](Entry& entry) { entry.mtime_nanoseconds = 1'000'000'000; });
  Encoder rest;
  rest.u8(4).string("n").varint(0).varint(1ULL << 32).varint(0).zigzag(0).varint(0);
  expect_error(decode_entry(Encoder().string(rest.bytes()).bytes()), ErrorCode::kDamaged, "too large");
  for (const int type : {0, 8, 255}) {
    Bytes bytes = encoded(entry_of(EntryType::kFifo));
    bytes[1] = static_cast<std::uint8_t>(type);
    expect_error(decode_entry(bytes), ErrorCode::kDamaged, "type");
  }
}

TEST(EntryFormatTest, RefusesExtentsPastTheEndOfTheFileEmptyOnesAndOverflow) {
  expect_refused("past the end", [](Entry& entry) { ++entry.extents->back().size; });
  expect_refused("past the end", [](Entry& entry) { entry.extents->front().gap = ~0ULL; });
  expect_refused("past the end", [](Entry& entry) { entry.extents = {{{.gap = 1, .size = ~0ULL}}}; });
  expect_refused("malformed", [](Entry& entry) { entry.extents->back().size = 0; });
  Entry holes = sample_file();
  holes.extents.emplace();
  holes.content.ids.clear();
  EXPECT_EQ(recode(holes), holes);
}

TEST(EntryFormatTest, RefusesTargetsAndAttributesThatNoSystemCouldHave) {
  Entry link = entry_of(EntryType::kSymlink);
  link.target.clear();
  expect_error(recode(link), ErrorCode::kDamaged, "malformed");
  link.target = std::string("a\0b", 3);
  expect_error(recode(link), ErrorCode::kDamaged, "malformed");
  expect_refused("malformed", [](Entry& entry) { entry.xattrs[0].first.clear(); });
}

TEST(EntryFormatTest, RefusesFieldsThatItsTypeLacksOrDoesNotHave) {
  EXPECT_TRUE(decode_entry(file_with(required_of_file())));
  expect_error(decode_entry(file_with(Encoder())), ErrorCode::kDamaged, "lacks");
  expect_error(decode_entry(file_with(Encoder().varint(1).string("\5"))), ErrorCode::kDamaged, "lacks");
  expect_error(decode_entry(file_with(required_of_file().varint(3).string("x"))), ErrorCode::kDamaged, "does not have");
  for (const EntryType type : {EntryType::kFolder, EntryType::kSymlink, EntryType::kFifo, EntryType::kCharDevice}) {
    expect_error(decode_entry(file_with(required_of_file(), type)), ErrorCode::kDamaged);
  }
  Encoder folder;
  folder.varint(2).string(std::string_view("\0", 1)).varint(7).string("\1\1");
  expect_error(decode_entry(file_with(folder, EntryType::kFolder)), ErrorCode::kDamaged, "does not have");
}

TEST(EntryFormatTest, SkipsFieldsOfLaterVersionsAndRefusesThoseOutOfOrder) {
  EXPECT_TRUE(decode_entry(file_with(required_of_file().varint(1000).string("later"))));
  expect_error(decode_entry(file_with(required_of_file().varint(2).string(""))), ErrorCode::kDamaged, "rising order");
  expect_error(decode_entry(file_with(required_of_file().varint(0).string(""))), ErrorCode::kDamaged, "rising order");
}

TEST(ContentFormatTest, RefusesWhatIsNoContent) {
  const auto refused = [](const ContentRef& content, std::size_t cut = 0) {
    Encoder out;
    content.encode(out);
    base::Decoder in(base::ByteSpan(out.bytes()).first(out.size() - cut));
    static_cast<void>(ContentRef::decode(in));
    return !in.ok();
  };
  EXPECT_FALSE(refused({}));
  EXPECT_FALSE(refused({.depth = 3, .ids = {digest_of(1)}}));
  EXPECT_TRUE(refused({.depth = 4, .ids = {digest_of(1)}}));
  EXPECT_TRUE(refused({.depth = 1, .ids = {}}));
  EXPECT_TRUE(refused({.depth = 0, .ids = {digest_of(1)}}, 1));
  EXPECT_TRUE(refused({}, 1));
}

}  // namespace
}  // namespace kura::archive
