#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "archive/format/limits.h"
#include "support/archive/format_samples.h"

namespace kura::archive {
namespace {

using base::Bytes;
using base::Decoder;
using base::Encoder;
using base::ErrorCode;
using test::digest_of;
using test::expect_error;
using test::kCatalogKey;
using test::sample_header;
using test::sample_record;

base::Result<PackRecord> decode_record(base::ByteSpan bytes) {
  Decoder in(bytes);
  PackRecord record = PackRecord::decode(in);
  KURA_TRY(in.finish("the record"));
  return record;
}
base::Result<PackRecord> recode(const PackRecord& record) {
  Encoder out;
  record.encode(out);
  return decode_record(out.bytes());
}
template <typename Change>
void expect_record_refused(std::string_view says, Change change) {
  PackRecord record = sample_record();
  change(record);
  expect_error(recode(record), ErrorCode::kDamaged, says);
}

TEST(PackHeaderTest, ReadsBackWhatItWrites) {
  const PackHeader header = sample_header();
  const auto bytes = header.encode();
  const auto back = PackHeader::decode(bytes);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(back->encode(), bytes);
  EXPECT_EQ(back->aead, header.aead);
  EXPECT_EQ(back->content, header.content);
}

TEST(PackHeaderTest, RefusesWhatIsNoPackOfThisVersion) {
  const auto bytes = sample_header().encode();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    expect_error(PackHeader::decode(base::ByteSpan(bytes).first(size)), ErrorCode::kDamaged);
  }
  auto other = bytes;
  other[8] = 2;
  expect_error(PackHeader::decode(other), ErrorCode::kUnsupported, "version 2");
  for (const auto& [offset, value] : {std::pair{0, 'k'}, {10, 0}, {10, 3}, {11, 0}, {11, 3}}) {
    other = bytes;
    other[static_cast<std::size_t>(offset)] = static_cast<std::uint8_t>(value);
    expect_error(PackHeader::decode(other), ErrorCode::kDamaged);
  }
}

TEST(PackHeaderTest, BindsEachFrameToItsPackAndPosition) {
  const PackHeader header = sample_header();
  const auto associated = header.associated(0x01020304);
  EXPECT_TRUE(std::ranges::equal(base::ByteSpan(associated).first(kPackHeadSize),
                                 base::ByteSpan(header.encode()).first(kPackHeadSize)));
  EXPECT_EQ(base::to_hex(base::ByteSpan(associated).subspan(kPackHeadSize)), "04030201");
}

TEST(PackRecordTest, ReadsBackTheSample) { EXPECT_EQ(recode(sample_record()), sample_record()); }

RC_GTEST_PROP(PackRecordTest, ReadsBackWhatItWrites, ()) {
  PackRecord record;
  const auto frames = *rc::gen::inRange(1, 5);
  for (int i = 0; i < frames; ++i) {
    FrameRecord frame;
    const auto chunks = *rc::gen::inRange(1, 6);
    for (int j = 0; j < chunks; ++j) {
      frame.chunks.push_back({.id = digest_of(*rc::gen::arbitrary<std::uint8_t>()),
                              .size = *rc::gen::inRange<std::uint32_t>(1, kFrameTextLimit / 8)});
    }
    const bool plain = *rc::gen::arbitrary<bool>();
    frame.compression = plain ? Compression::kNone : Compression::kZstd;
    frame.sealed_size = plain ? frame.text_size() + 16 : *rc::gen::inRange<std::uint32_t>(17, kSealedFrameLimit);
    record.frames.push_back(frame);
  }
  RC_ASSERT(recode(record).value() == record);
}

TEST(PackRecordTest, RefusesWhatIsBeyondTheLimits) {
  expect_record_refused("no frames", [](PackRecord& record) { record.frames.clear(); });
  expect_record_refused("no chunks", [](PackRecord& record) { record.frames[1].chunks.clear(); });
  expect_record_refused("empty", [](PackRecord& record) { record.frames[1].chunks[0].size = 0; });
  expect_record_refused("chunk is larger",
                        [](PackRecord& record) { record.frames[1].chunks[0].size = kChunkLimit + 1; });
  expect_record_refused("text of a frame", [](PackRecord& record) {
    record.frames[1].chunks = {{.id = {}, .size = kChunkLimit}, {.id = {}, .size = 1}};
  });
  expect_record_refused("frame is larger",
                        [](PackRecord& record) { record.frames[1].sealed_size = kSealedFrameLimit + 1; });
  expect_record_refused("smaller than its tag", [](PackRecord& record) { record.frames[1].sealed_size = 16; });
  expect_record_refused("do not fill", [](PackRecord& record) { record.frames[0].sealed_size += 1; });
  expect_record_refused("compression",
                        [](PackRecord& record) { record.frames[1].compression = static_cast<Compression>(2); });
}

TEST(PackRecordTest, RefusesMoreFramesAndChunksThanAPackMayHaveThoughItHasTheBytes) {
  const std::size_t frames = kFramesPerPackLimit + 1;
  expect_error(decode_record(Encoder().varint(frames).raw(Bytes(36 * frames)).bytes()), ErrorCode::kDamaged,
               "more frames");
  const std::size_t chunks = kChunksPerPackLimit + 1;
  expect_error(decode_record(Encoder().varint(1).varint(20).u8(1).varint(chunks).raw(Bytes(33 * chunks)).bytes()),
               ErrorCode::kDamaged, "more chunks");
}

TEST(PackRecordTest, RefusesCountsThatItHasNoBytesFor) {
  expect_error(decode_record(Encoder().varint(1U << 20).raw(Bytes(100)).bytes()), ErrorCode::kDamaged, "more items");
  expect_error(decode_record(Encoder().varint(1).varint(20).u8(1).varint(1U << 22).raw(Bytes(100)).bytes()),
               ErrorCode::kDamaged, "more items");
}

TEST(PackRecordTest, RefusesNumbersThatAreNotInTheirShortestForm) {
  Bytes bytes = {0x81, 0x00};  // one frame
  Encoder rest;
  sample_record().encode(rest);
  bytes.insert(bytes.end(), rest.bytes().begin() + 1, rest.bytes().end());
  expect_error(decode_record(bytes), ErrorCode::kDamaged, "shortest form");
}

class FooterTest : public ::testing::Test {
 protected:
  const PackHeader header_ = sample_header();
  const PackRecord record_ = sample_record();
  const Bytes end_ = seal_footer(header_, record_, kCatalogKey);
  const std::uint64_t pack_size_ = record_.pack_size();
  base::ByteSpan sealed() const { return base::ByteSpan(end_).first(end_.size() - kPackTrailerSize); }
  base::ByteSpan trailer() const { return base::ByteSpan(end_).last(kPackTrailerSize); }
};

TEST_F(FooterTest, OpensWithTheCatalogKeyAlone) {
  const auto size = footer_size(trailer(), pack_size_);
  ASSERT_TRUE(size) << size.error().text();
  EXPECT_EQ(*size, sealed().size());
  EXPECT_EQ(kPackHeaderSize + 1516 + 300 + end_.size(), pack_size_);
  EXPECT_EQ(open_footer(header_, sealed(), pack_size_, kCatalogKey), record_);
  expect_error(open_footer(header_, sealed(), pack_size_, test::key_of(1)), ErrorCode::kDamaged, "does not open");
}

TEST_F(FooterTest, IsBoundToItsPack) {
  PackHeader other = header_;
  other.salt[0] ^= 1;
  expect_error(open_footer(other, sealed(), pack_size_, kCatalogKey), ErrorCode::kDamaged);
  other = header_;
  other.content = Content::kFile;
  expect_error(open_footer(other, sealed(), pack_size_, kCatalogKey), ErrorCode::kDamaged);
  other = header_;
  other.repository[0] ^= 1;
  expect_error(open_footer(other, sealed(), pack_size_, kCatalogKey), ErrorCode::kDamaged);
}

TEST_F(FooterTest, RefusesFramesThatDoNotFillThePack) {
  expect_error(open_footer(header_, sealed(), pack_size_ + 1, kCatalogKey), ErrorCode::kDamaged, "do not fill");
  expect_error(open_footer(header_, sealed(), pack_size_ - 1, kCatalogKey), ErrorCode::kDamaged, "do not fill");
}

TEST_F(FooterTest, RefusesATrailerThatCannotBe) {
  const std::uint64_t least = kPackHeaderSize + sealed().size() + kPackTrailerSize;
  EXPECT_TRUE(footer_size(trailer(), least));
  expect_error(footer_size(trailer(), least - 1), ErrorCode::kDamaged, "cannot have");
  expect_error(footer_size(trailer(), kPackLimit + 1), ErrorCode::kDamaged, "are the most");
  expect_error(footer_size(trailer().first(7), least), ErrorCode::kDamaged);
  Bytes other(trailer().begin(), trailer().end());
  other[7] = 'E';
  expect_error(footer_size(other, least), ErrorCode::kDamaged, "KEND");
  other = Encoder().u32(16).raw(base::as_bytes("KEND")).take();
  expect_error(footer_size(other, least), ErrorCode::kDamaged, "cannot have");
  other = Encoder().u32(0xffffffff).raw(base::as_bytes("KEND")).take();
  expect_error(footer_size(other, least), ErrorCode::kDamaged, "cannot have");
}

TEST(FrameKeyTest, DependsOnThePacksSalt) {
  PackHeader other = sample_header();
  const base::Key one = frame_key(test::key_of(1), other);
  other.salt[0] ^= 1;
  EXPECT_FALSE(std::ranges::equal(one.span(), frame_key(test::key_of(1), other).span()));
}

}  // namespace
}  // namespace kura::archive
