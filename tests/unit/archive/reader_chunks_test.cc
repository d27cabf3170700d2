// PackReader and ChunkIndex on small repositories.
#include <gtest/gtest.h>
#include <zstd.h>

#include "archive/repo/pack_reader.h"
#include "crypto/hash.h"
#include "support/archive/format_samples.h"
#include "support/archive/repository_builder.h"

namespace kura::archive::test {
namespace {

using base::ErrorCode;

struct Opened {
  explicit Opened(const RepositoryBuilder& builder, const StoredSnapshot& snapshot)
      : index(load_index(builder.repository(), snapshot, damaged).value()), reader(builder.repository(), index) {}
  std::vector<DamagedObject> damaged;
  ChunkIndex index;
  PackReader reader;
};

std::string text_of(const base::Result<base::Bytes>& bytes) {
  return bytes ? std::string(base::as_text(*bytes)) : bytes.error().text();
}

TEST(ChunkIndex, FindsEveryChunkAmongManyAndNoOther) {
  ChunkIndex index;
  PackRecord record;
  std::vector<ChunkId> ids;
  for (std::uint32_t number = 0; number < 20000; ++number) {
    const base::Bytes seed{static_cast<std::uint8_t>(number), static_cast<std::uint8_t>(number >> 8)};
    ChunkId id = crypto::sha256(seed);
    if (number % 3 == 0) std::fill_n(id.bytes.begin(), 8, std::uint8_t{0xff});  // not evenly spread at all
    ids.push_back(id);
    if (number % 10 == 0)
      record.frames.push_back({.sealed_size = 100, .compression = Compression::kZstd, .chunks = {}});
    record.frames.back().chunks.push_back({.id = id, .size = number + 1});
  }
  index.add_pack(digest_of(1), 1, record);
  index.finish();
  ASSERT_EQ(index.chunk_count(), ids.size());
  for (std::uint32_t number = 0; number < ids.size(); ++number) {
    const std::optional<ChunkPlace> place = index.find(ids[number]);
    ASSERT_TRUE(place.has_value());
    EXPECT_EQ(place->size, number + 1);
    EXPECT_EQ(place->frame, number / 10);
    ChunkId other = ids[number];
    other.bytes[31] ^= 1;
    EXPECT_FALSE(index.find(other).has_value());
  }
  EXPECT_FALSE(ChunkIndex().find(ids[0]).has_value());
}

TEST(ChunkIndex, GivesTheFirstPlaceOfAChunkThatWasStoredTwice) {
  RepositoryBuilder builder;
  const ChunkId id = builder.add(Content::kFile, "twice");
  builder.end_pack(Content::kFile);
  builder.add(Content::kFile, "something before it");
  builder.add(Content::kFile, "twice");
  const Opened opened(builder, builder.commit(std::vector<Entry>{}));
  EXPECT_EQ(opened.index.copies(id).size(), 2U);
  EXPECT_EQ(opened.index.packs()[opened.index.find(id)->pack].id, builder.packs()[0]);
}

TEST(PackReader, GivesBackChunksOfBothKindsCompressedOrNot) {
  for (const bool compressed : {true, false}) {
    RepositoryBuilder builder;
    builder.compress(compressed);
    const ChunkId file = builder.add(Content::kFile, "hello");
    const ChunkId listing = builder.add(Content::kListing, "hello");
    Opened opened(builder, builder.commit(std::vector<Entry>{}));
    EXPECT_NE(file, listing);
    EXPECT_EQ(text_of(opened.reader.chunk(file, Content::kFile)), "hello");
    EXPECT_EQ(text_of(opened.reader.chunk(listing, Content::kListing)), "hello");
    expect_error(opened.reader.chunk(file, Content::kListing), ErrorCode::kDamaged, "its id says");
    expect_error(opened.reader.chunk(digest_of(9), Content::kFile), ErrorCode::kDamaged, "in no index");
  }
}

TEST(PackReader, FallsBackToAnotherCopyOfADamagedChunk) {
  RepositoryBuilder builder;
  const ChunkId id = builder.add(Content::kFile, "precious");
  const store::ObjectId first = builder.end_pack(Content::kFile);
  builder.add(Content::kFile, "precious");
  const StoredSnapshot snapshot = builder.commit(std::vector<Entry>{});
  builder.damage(store::Kind::kPack, first, kPackHeaderSize + 2);
  Opened opened(builder, snapshot);
  EXPECT_EQ(text_of(opened.reader.chunk(id, Content::kFile)), "precious");
  std::filesystem::remove(builder.path_of(store::Kind::kPack, first));
  Opened without(builder, snapshot);
  EXPECT_EQ(text_of(without.reader.chunk(id, Content::kFile)), "precious");
}

TEST(PackReader, NamesThePackThatIsDamagedOrMissing) {
  RepositoryBuilder builder;
  const ChunkId id = builder.add(Content::kFile, "precious");
  const StoredSnapshot snapshot = builder.commit(std::vector<Entry>{});
  builder.damage(store::Kind::kPack, builder.packs()[0], kPackHeaderSize + 2);
  Opened opened(builder, snapshot);
  const auto damaged = opened.reader.chunk(id, Content::kFile);
  expect_error(damaged, ErrorCode::kDamaged, builder.packs()[0].hex());
  expect_error(damaged, ErrorCode::kDamaged, "frame 0");
  expect_error(damaged, ErrorCode::kDamaged, builder.folder());
  EXPECT_TRUE(damaged.error().hint().contains("kura check"));

  std::filesystem::remove(builder.path_of(store::Kind::kPack, builder.packs()[0]));
  Opened without(builder, snapshot);
  expect_error(without.reader.chunk(id, Content::kFile), ErrorCode::kDamaged, "missing");
}

TEST(PackReader, RefusesAChunkThatIsNotWhatItsIdSays) {
  RepositoryBuilder builder;
  const ChunkId good = builder.id_of(Content::kFile, base::as_bytes("good"));
  builder.add_as(good, Content::kFile, "evil");
  Opened opened(builder, builder.commit(std::vector<Entry>{}));
  expect_error(opened.reader.chunk(good, Content::kFile), ErrorCode::kDamaged, "its id says");
}

TEST(PackReader, NeverOpensMoreThanTheRecordSays) {
  const std::string bomb(8 << 20, 'x');
  base::Bytes packed(ZSTD_compressBound(bomb.size()));
  packed.resize(ZSTD_compress(packed.data(), packed.size(), bomb.data(), bomb.size(), 3));
  const base::Bytes two_frames = [&] {
    base::Bytes small(ZSTD_compressBound(2));
    small.resize(ZSTD_compress(small.data(), small.size(), "ab", 2, 3));
    const base::Bytes once = small;
    small.insert(small.end(), once.begin(), once.end());
    return small;
  }();
  const base::Bytes garbage(60, 0x28);
  for (const base::Bytes& stored : {packed, two_frames, garbage}) {
    RepositoryBuilder builder;
    builder.seal_instead(stored);
    const ChunkId id = builder.add(Content::kFile, "abab" + std::string(1200, 'x'));
    Opened opened(builder, builder.commit(std::vector<Entry>{}));
    expect_error(opened.reader.chunk(id, Content::kFile), ErrorCode::kDamaged, "decompress");
  }
}

TEST(PackReader, ReadsNeighbouringFramesInOneGoAndSkipsOnlyTheDamagedOne) {
  RepositoryBuilder builder;
  builder.compress(false);
  for (const char* text : {"one", "two", "three"}) {
    builder.add(Content::kFile, text);
    builder.end_frame(Content::kFile);
  }
  const StoredSnapshot snapshot = builder.commit(std::vector<Entry>{});
  builder.damage(store::Kind::kPack, builder.packs()[0], kPackHeaderSize + 3 + crypto::kTagSize);
  Opened opened(builder, snapshot);
  std::vector<std::string> seen;
  ASSERT_TRUE(opened.reader.frames(0, 0, 3, [&](std::uint32_t frame, base::Result<base::ByteSpan> text) {
    seen.push_back(std::to_string(frame) + (text ? std::string(base::as_text(*text)) : "?"));
    return true;
  }));
  EXPECT_EQ(seen, (std::vector<std::string>{"0one", "1?", "2three"}));
  expect_error(base::Result<int>(std::unexpected(opened.reader.frames(0, 2, 2, {}).error())), ErrorCode::kUsage);
}

TEST(PackReader, ExpandsListsOfIdsAndRefusesOnesThatAreNone) {
  RepositoryBuilder builder;
  std::string ids;
  std::vector<ChunkId> expected;
  for (int number = 0; number < 5; ++number) {
    expected.push_back(builder.add(Content::kFile, std::to_string(number)));
    ids += base::as_text(expected.back().span());
  }
  const ChunkId first = builder.add(Content::kListing, ids.substr(0, 64));
  const ChunkId second = builder.add(Content::kListing, ids.substr(64));
  const ChunkId odd = builder.add(Content::kListing, ids.substr(0, 65));
  Opened opened(builder, builder.commit(std::vector<Entry>{}));
  EXPECT_EQ(opened.reader.leaves({.depth = 1, .ids = {first, second}}).value(), expected);
  expect_error(opened.reader.leaves({.depth = 1, .ids = {odd}}), ErrorCode::kDamaged);
  expect_error(opened.reader.leaves({.depth = 2, .ids = {first}}), ErrorCode::kDamaged);
  expect_error(opened.reader.leaves({.depth = 4, .ids = {first}}), ErrorCode::kDamaged);
}

TEST(LoadIndex, TakesWhatALostIndexSaidFromThePacks) {
  RepositoryBuilder builder;
  const ChunkId id = builder.add(Content::kFile, "precious");
  const StoredSnapshot snapshot = builder.commit(std::vector<Entry>{});
  builder.damage(store::Kind::kIndex, builder.indexes()[0], 100);
  Opened damaged(builder, snapshot);
  ASSERT_EQ(damaged.damaged.size(), 1U);
  EXPECT_EQ(damaged.damaged[0].id, builder.indexes()[0]);
  EXPECT_EQ(text_of(damaged.reader.chunk(id, Content::kFile)), "precious");
  std::filesystem::remove(builder.path_of(store::Kind::kIndex, builder.indexes()[0]));
  Opened missing(builder, snapshot);
  EXPECT_EQ(missing.damaged.size(), 1U);
  EXPECT_EQ(text_of(missing.reader.chunk(id, Content::kFile)), "precious");
}

TEST(LoadIndex, TellsOfPacksWhoseFooterDoesNotTellEither) {
  RepositoryBuilder builder;
  const ChunkId id = builder.add(Content::kFile, "precious");
  const StoredSnapshot snapshot = builder.commit(std::vector<Entry>{});
  std::filesystem::remove(builder.path_of(store::Kind::kIndex, builder.indexes()[0]));
  const store::ObjectInfo pack = builder.store().stat(store::Kind::kPack, builder.packs()[0]).value();
  builder.damage(store::Kind::kPack, pack.id, pack.size - 20);
  Opened opened(builder, snapshot);
  EXPECT_EQ(opened.damaged.size(), 2U);
  EXPECT_FALSE(opened.reader.chunk(id, Content::kFile).has_value());
}

}  // namespace
}  // namespace kura::archive::test
