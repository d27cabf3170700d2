#include <gtest/gtest.h>

#include "archive/format/limits.h"
#include "support/archive/format_samples.h"

namespace kura::archive {
namespace {

using base::Bytes;
using base::ErrorCode;
using test::expect_error;
using test::kSigningSeed;
using test::sample_config;

base::Status decode_config(base::ByteSpan object) { return test::status_of(Config::decode(object)); }

TEST(ConfigFormatTest, ReadsBackWhatItWrites) {
  const Config config = sample_config();
  const Bytes object = config.encode(kSigningSeed);
  const auto back = Config::decode(object);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(back->repository, config.repository);
  EXPECT_EQ(back->created, config.created);
  EXPECT_EQ(back->box_key, config.box_key);
  EXPECT_EQ(back->signing_key, config.signing_key);
  EXPECT_EQ(back->files, config.files);
  EXPECT_EQ(back->listings, config.listings);
  EXPECT_EQ(back->pack_target, config.pack_target);
  EXPECT_EQ(back->encode(kSigningSeed), object);
}

TEST(ConfigFormatTest, RefusesWhatIsNoConfigOfThisVersion) {
  test::expect_object_refusals(sample_config().encode(kSigningSeed), kConfigLimit, decode_config);
}

TEST(ConfigFormatTest, RefusesAnyChangedBit) {
  test::expect_every_bit_guarded(sample_config().encode(kSigningSeed), decode_config);
}

TEST(ConfigFormatTest, RefusesASignatureOfAnotherKey) {
  expect_error(Config::decode(sample_config().encode(test::key_of(9))), ErrorCode::kDamaged, "signature");
}

TEST(ConfigFormatTest, OfVersion2SaysHowChunksAreNamed) {
  Config config = sample_config();
  EXPECT_EQ(Config::decode(config.encode(kSigningSeed))->naming, ChunkNaming::kWhole);
  config.naming = ChunkNaming::kPieces;
  const Bytes object = config.encode(kSigningSeed);
  EXPECT_EQ(object[8], 2);
  EXPECT_EQ(Config::decode(object)->naming, ChunkNaming::kPieces);
  test::expect_object_refusals(object, kConfigLimit, decode_config);
  test::expect_every_bit_guarded(object, decode_config);
  config.naming = static_cast<ChunkNaming>(3);
  expect_error(decode_config(config.encode(kSigningSeed)), ErrorCode::kUnsupported, "algorithm 3");
}

TEST(ConfigFormatTest, RefusesSizesOutOfBounds) {
  const auto refused = [](auto change) {
    Config config = sample_config();
    change(config);
    expect_error(decode_config(config.encode(kSigningSeed)), ErrorCode::kDamaged, "out of bounds");
  };
  refused([](Config& config) { config.files.least = 0; });
  refused([](Config& config) { config.files.least = config.files.average + 1; });
  refused([](Config& config) { config.listings.average = config.listings.most + 1; });
  refused([](Config& config) { config.listings.most = kChunkLimit + 1; });
  refused([](Config& config) { config.pack_target = 0; });
  refused([](Config& config) { config.pack_target = kPackLimit + 1; });
}

TEST(ConfigFormatTest, RefusesABoxKeyThatIsSealedToEverybody) {
  Config config = sample_config();
  config.box_key.fill(0);
  expect_error(Config::decode(config.encode(kSigningSeed)), ErrorCode::kDamaged, "box key");
}

TEST(ConfigFormatTest, IsReadableButNotWritableWithAnUnknownWayToCut) {
  for (const ChunkerParameters& chunker : {ChunkerParameters{.algorithm = 2, .least = 1, .average = 2, .most = 3},
                                           ChunkerParameters{.normalisation = 40, .least = 1, .average = 2, .most = 3},
                                           ChunkerParameters{.least = 1, .average = 3, .most = 4}}) {
    Config config = sample_config();
    config.files = chunker;
    const auto back = Config::decode(config.encode(kSigningSeed));
    ASSERT_TRUE(back) << back.error().text();
    expect_error(back->check_writable(), ErrorCode::kUnsupported);
  }
  EXPECT_TRUE(sample_config().check_writable());
}

}  // namespace
}  // namespace kura::archive
