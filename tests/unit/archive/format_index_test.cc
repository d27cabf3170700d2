#include <gtest/gtest.h>

#include "archive/format/limits.h"
#include "support/archive/format_samples.h"

namespace kura::archive {
namespace {

using base::Bytes;
using base::ErrorCode;
using test::expect_error;
using test::kCatalogKey;
using test::sample_index;

base::Status decode_index(base::ByteSpan object) { return test::status_of(Index::decode(object, &kCatalogKey)); }
Bytes encoded(const Index& index) { return index.encode(crypto::AeadKind::kAes256Gcm, kCatalogKey); }

TEST(IndexFormatTest, ReadsBackWhatItWrites) {
  for (const auto aead : {crypto::AeadKind::kAes256Gcm, crypto::AeadKind::kChaCha20Poly1305}) {
    const Index index = sample_index();
    const auto back = Index::decode(index.encode(aead, kCatalogKey), &kCatalogKey);
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_EQ(back->repository, index.repository);
    ASSERT_EQ(back->packs.size(), index.packs.size());
    for (std::size_t i = 0; i < index.packs.size(); ++i) {
      EXPECT_EQ(back->packs[i].id, index.packs[i].id);
      EXPECT_EQ(back->packs[i].size, index.packs[i].size);
      EXPECT_EQ(back->packs[i].record, index.packs[i].record);
    }
  }
}

TEST(IndexFormatTest, TellsPacksAndTheirSizesWithoutAKey) {
  const auto back = Index::decode(encoded(sample_index()), nullptr);
  ASSERT_TRUE(back) << back.error().text();
  ASSERT_EQ(back->packs.size(), 2U);
  EXPECT_EQ(back->packs[1].id, test::digest_of(0x11));
  EXPECT_EQ(back->packs[1].size, sample_index().packs[1].size);
  EXPECT_TRUE(back->packs[1].record.frames.empty());
}

TEST(IndexFormatTest, MayBeEmpty) {
  const auto back = Index::decode(encoded({.repository = test::sample_repository(), .packs = {}}), &kCatalogKey);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_TRUE(back->packs.empty());
}

TEST(IndexFormatTest, RefusesWhatIsNoIndexOfThisVersion) {
  test::expect_object_refusals(encoded(sample_index()), kIndexLimit, decode_index);
}

TEST(IndexFormatTest, RefusesAnyChangedBitAndAnotherKey) {
  test::expect_every_bit_guarded(encoded(sample_index()), decode_index);
  const base::Key other = test::key_of(1);
  expect_error(Index::decode(encoded(sample_index()), &other), ErrorCode::kDamaged, "do not open");
}

TEST(IndexFormatTest, RefusesCountsAndSizesThatCannotBeWithoutAKeyToo) {
  const std::size_t count_at = 8 + 2 + 2 + 16 + 32;
  Bytes object = encoded(sample_index());
  object[count_at + 3] = 0x80;
  expect_error(Index::decode(object, nullptr), ErrorCode::kDamaged, "more packs");
  object = encoded(sample_index());
  object[count_at + 4 + 32 + 7] = 1;
  expect_error(Index::decode(object, nullptr), ErrorCode::kDamaged, "larger than allowed");
  object = encoded(sample_index());
  object[11] = 1;
  expect_error(Index::decode(object, nullptr), ErrorCode::kDamaged, "always zero");
  object = encoded({.repository = {}, .packs = {}});
  object.pop_back();
  expect_error(Index::decode(object, nullptr), ErrorCode::kDamaged, "too early");
}

TEST(IndexFormatTest, RefusesRecordsThatDoNotFillTheirPack) {
  Index index = sample_index();
  ++index.packs[0].size;
  expect_error(decode_index(encoded(index)), ErrorCode::kDamaged, "do not fill");
}

TEST(IndexFormatTest, NeverUsesASaltTwice) {
  const auto salt = [](const Bytes& object) { return Bytes(object.begin() + 28, object.begin() + 60); };
  EXPECT_NE(salt(encoded(sample_index())), salt(encoded(sample_index())));
}

}  // namespace
}  // namespace kura::archive
