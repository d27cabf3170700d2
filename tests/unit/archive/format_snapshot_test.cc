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
using test::expect_error;
using test::kCatalogKey;
using test::sample_label;
using test::sample_snapshot;

base::Status decode_snapshot(base::ByteSpan object) { return test::status_of(Snapshot::decode(object, &kCatalogKey)); }
Bytes encoded(const Snapshot& snapshot) {
  return snapshot.encode(crypto::AeadKind::kAes256Gcm, kCatalogKey, test::kMachineSeed);
}
base::Result<SnapshotLabel> decode_label(base::ByteSpan bytes) {
  Decoder in(bytes);
  SnapshotLabel label = SnapshotLabel::decode(in);
  KURA_TRY(in.finish("the label"));
  return label;
}
Bytes encoded(const SnapshotLabel& label) {
  Encoder out;
  label.encode(out);
  return out.take();
}

TEST(SnapshotFormatTest, ReadsBackWhatItWrites) {
  const Snapshot snapshot = sample_snapshot();
  const auto back = Snapshot::decode(encoded(snapshot), &kCatalogKey);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(back->repository, snapshot.repository);
  EXPECT_EQ(back->machine, snapshot.machine);
  EXPECT_EQ(back->number, snapshot.number);
  EXPECT_EQ(back->before, snapshot.before);
  EXPECT_EQ(back->series, snapshot.series);
  EXPECT_EQ(back->started, snapshot.started);
  EXPECT_EQ(back->needs, snapshot.needs);
  EXPECT_EQ(back->label, snapshot.label);
}

TEST(SnapshotFormatTest, TellsAllButItsLabelWithoutAKey) {
  const auto back = Snapshot::decode(encoded(sample_snapshot()), nullptr);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(back->needs, sample_snapshot().needs);
  EXPECT_FALSE(back->label.has_value());
}

TEST(SnapshotFormatTest, RefusesWhatIsNoSnapshotOfThisVersion) {
  test::expect_object_refusals(encoded(sample_snapshot()), kSnapshotLimit, decode_snapshot);
}

TEST(SnapshotFormatTest, RefusesAnyChangedBitWithoutAKeyToo) {
  test::expect_every_bit_guarded(encoded(sample_snapshot()), [](base::ByteSpan object) {
    return test::status_of(Snapshot::decode(object, nullptr));
  });
}

TEST(SnapshotFormatTest, RefusesASignatureOfAnotherMachineAndAnotherCatalogKey) {
  const Snapshot snapshot = sample_snapshot();
  expect_error(decode_snapshot(snapshot.encode(crypto::AeadKind::kAes256Gcm, kCatalogKey, test::key_of(1))),
               ErrorCode::kDamaged, "signature");
  expect_error(decode_snapshot(snapshot.encode(crypto::AeadKind::kAes256Gcm, test::key_of(1), test::kMachineSeed)),
               ErrorCode::kDamaged, "does not open");
}

TEST(SnapshotFormatTest, NumbersBeginAtOneAndOnlyTheFirstHasNoneBefore) {
  Snapshot snapshot = sample_snapshot();
  snapshot.number = 0;
  expect_error(decode_snapshot(encoded(snapshot)), ErrorCode::kDamaged, "number");
  snapshot.number = 1;
  expect_error(decode_snapshot(encoded(snapshot)), ErrorCode::kDamaged, "do not agree");
  snapshot.before = {};
  EXPECT_TRUE(decode_snapshot(encoded(snapshot)));
  snapshot.number = 2;
  expect_error(decode_snapshot(encoded(snapshot)), ErrorCode::kDamaged, "do not agree");
}

TEST(SnapshotLabelTest, ReadsBackTheSample) { EXPECT_EQ(decode_label(encoded(sample_label())), sample_label()); }

RC_GTEST_PROP(SnapshotLabelTest, ReadsBackWhatItWrites,
              (const std::string& host, const std::string& user, const std::vector<std::string>& paths,
               const std::vector<std::string>& tags, std::int64_t ended, std::uint64_t bytes)) {
  SnapshotLabel label = sample_label();
  label.host = host;
  label.user = user;
  label.paths = paths;
  label.tags = tags;
  label.ended = ended;
  label.counts.bytes = bytes;
  RC_ASSERT(decode_label(encoded(label)).value() == label);
}

TEST(SnapshotLabelTest, SkipsFieldsOfLaterVersions) {
  Bytes bytes = encoded(sample_label());
  const Bytes later = Encoder().varint(200).string("anything").take();
  bytes.insert(bytes.end(), later.begin(), later.end());
  EXPECT_EQ(decode_label(bytes), sample_label());
}

TEST(SnapshotLabelTest, RefusesFieldsOutOfOrderTwiceMissingOrMalformed) {
  const Bytes whole = encoded(sample_label());
  const auto with = [&](const Encoder& field) {
    Bytes bytes = whole;
    bytes.insert(bytes.end(), field.bytes().begin(), field.bytes().end());
    return decode_label(bytes);
  };
  expect_error(with(Encoder().varint(8).string("\1")), ErrorCode::kDamaged, "rising order");
  expect_error(with(Encoder().varint(5).string("")), ErrorCode::kDamaged, "rising order");
  expect_error(with(Encoder().varint(9).varint(100)), ErrorCode::kDamaged);
  expect_error(decode_label(Bytes{}), ErrorCode::kDamaged, "missing");
  expect_error(decode_label(base::ByteSpan(whole).first(whole.size() - 3)), ErrorCode::kDamaged, "missing");
  SnapshotLabel label = sample_label();
  label.verdict = static_cast<Verdict>(4);
  expect_error(decode_label(encoded(label)), ErrorCode::kDamaged, "malformed");
  label = sample_label();
  label.root.depth = kContentDepthLimit + 1;
  expect_error(decode_label(encoded(label)), ErrorCode::kDamaged, "malformed");
}

TEST(SnapshotLabelTest, ReadsBackWhatDetectionSaid) {
  SnapshotLabel label = sample_label();
  label.evidence = {"3 that were whole are broken now", "a ransom note lies in 4 folders"};
  label.suspicion = {.fast = 17.95, .slow = 8.998, .attacked = true, .broken = 7};
  const auto read = decode_label(encoded(label));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, label);
  label.suspicion.fast = 1e9;
  expect_error(decode_label(encoded(label)), ErrorCode::kDamaged, "malformed");
}

TEST(SnapshotLabelTest, RefusesABytePastTheEndOfAField) {
  Encoder out;
  out.varint(1).string(std::string_view("\0", 1)).varint(2).string(std::string_view("\1hX", 3));
  expect_error(decode_label(out.bytes()), ErrorCode::kDamaged, "malformed");
}

TEST(NeededPacksTest, SetsAndTellsBits) {
  NeededPacks needed;
  EXPECT_FALSE(needed.has(0));
  needed.add(0);
  needed.add(9);
  EXPECT_EQ(base::to_hex(needed.bits), "0102");
  EXPECT_TRUE(needed.has(9));
  EXPECT_FALSE(needed.has(8));
  EXPECT_FALSE(needed.has(100));
}

TEST(NeededPacksTest, FitsOnlyAnIndexThatHasItsPacks) {
  NeededPacks needed;
  EXPECT_TRUE(needed.fits(0));
  needed.add(9);
  EXPECT_TRUE(needed.fits(10));
  EXPECT_TRUE(needed.fits(16));
  EXPECT_TRUE(needed.fits(1000));
  EXPECT_FALSE(needed.fits(9));
  EXPECT_FALSE(needed.fits(8));
  EXPECT_FALSE(needed.fits(0));
}

TEST(SeriesTest, IsTheSameForTheSamePathsInAnyOrderAndUnderOneKeyAlone) {
  const Series series = series_of(test::key_of(1), "host", {"/a", "/b"});
  EXPECT_EQ(series, series_of(test::key_of(1), "host", {"/b", "/a"}));
  EXPECT_NE(series, series_of(test::key_of(2), "host", {"/a", "/b"}));
  EXPECT_NE(series, series_of(test::key_of(1), "host", {"/a/b"}));
  EXPECT_NE(series, series_of(test::key_of(1), "other", {"/a", "/b"}));
}

}  // namespace
}  // namespace kura::archive
