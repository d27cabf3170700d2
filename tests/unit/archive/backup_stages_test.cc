// The stages between a chunk and a pack, each alone.
#include <atomic>
#include <numeric>
#include <thread>

#include <gtest/gtest.h>
#include <zstd.h>

#include "archive/backup/batch_window.h"
#include "archive/backup/compress.h"
#include "archive/backup/digest_set.h"
#include "archive/backup/frame_builder.h"
#include "archive/backup/index_folding.h"
#include "archive/backup/job_control.h"
#include "archive/backup/pack_builder.h"
#include "archive/backup/task_queue.h"
#include "archive/repo/secrets.h"
#include "crypto/hash.h"
#include "support/archive/backup_bench.h"

namespace kura::archive {
namespace {

using test::random_text;

TEST(Compressor, TextBecomesSmallerAndComesBack) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += "line " + std::to_string(i * 7919 % 1000) + "\n";
  Compressor compressor;
  const auto [compression, bytes] = compressor.compress(base::as_bytes(text));
  ASSERT_EQ(compression, Compression::kZstd);
  EXPECT_LT(bytes.size(), text.size() / 2);
  EXPECT_EQ(ZSTD_getFrameContentSize(bytes.data(), bytes.size()), text.size());
  std::string back(text.size(), '\0');
  EXPECT_EQ(ZSTD_decompress(back.data(), back.size(), bytes.data(), bytes.size()), text.size());
  EXPECT_EQ(back, text);
}

TEST(Compressor, WhatDoesNotCompressIsStoredAsItIs) {
  Compressor compressor;
  for (const std::size_t size : {0U, 1U, 100U, 100'000U, 1'000'000U}) {
    const std::string text = random_text(size, 5);
    const auto [compression, bytes] = compressor.compress(base::as_bytes(text));
    EXPECT_EQ(compression, Compression::kNone);
    EXPECT_EQ(base::as_text(bytes), text);
  }
}

TEST(FrameBuilder, SmallChunksShareAFrameInOrder) {
  FrameBuilder builder(Content::kFile);
  const ChunkId id{};
  EXPECT_TRUE(builder.empty());
  EXPECT_FALSE(builder.add(id, base::as_bytes("one")));
  EXPECT_FALSE(builder.add(id, base::as_bytes("two")));
  EXPECT_EQ(builder.frame().chunks.size(), 2U);
  EXPECT_EQ(base::as_text(builder.frame().text.span()), "onetwo");
  builder.clear();
  EXPECT_TRUE(builder.empty());
}

TEST(FrameBuilder, AFrameIsCompleteWhenItHasItsSize) {
  FrameBuilder builder(Content::kFile);
  const std::string chunk(FrameBuilder::kSmall - 1, 'x');
  EXPECT_TRUE(FrameBuilder::is_small(base::as_bytes(chunk)));
  EXPECT_FALSE(FrameBuilder::is_small(base::as_bytes(chunk + "x")));
  std::size_t size = 0;
  while (!builder.add({}, base::as_bytes(chunk))) size += chunk.size();
  EXPECT_LT(size, FrameBuilder::kTarget);
  EXPECT_GE(builder.frame().text.size(), FrameBuilder::kTarget);
}

TEST(TaskQueue, FramesComeBeforeBatchesAndOnlyIdleThreadsAreAskedToHelp) {
  TaskQueue queue(10);
  Batch batch;
  EXPECT_FALSE(queue.wants_frame()) << "nobody is idle";
  ASSERT_TRUE(queue.push(&batch, 1, {}));
  queue.push(RawFrame{});
  auto task = queue.next(false, {});
  EXPECT_TRUE(task && std::holds_alternative<RawFrame>(*task));
  task = queue.next(true, {});
  ASSERT_TRUE(task && std::holds_alternative<Batch*>(*task));
  EXPECT_EQ(std::get<Batch*>(*task), &batch);
  queue.close();
  EXPECT_FALSE(queue.next(true, {}));
}

TEST(TaskQueue, WhoIsIdleStaysUntilNobodyCanComeWithAFrame) {
  TaskQueue queue(10);
  Batch batch;
  ASSERT_TRUE(queue.push(&batch, 1, {}));
  auto reading = queue.next(false, {});
  ASSERT_TRUE(reading);
  queue.close();
  std::atomic<bool> has_helped = false;
  std::jthread helper([&] {
    auto task = queue.next(false, {});
    EXPECT_TRUE(task && std::holds_alternative<RawFrame>(*task));
    has_helped = true;
    EXPECT_FALSE(queue.next(true, {}));
  });
  while (!queue.wants_frame()) std::this_thread::yield();
  queue.push(RawFrame{});
  while (!has_helped) std::this_thread::yield();  // else this thread might take it itself
  EXPECT_FALSE(queue.next(true, {}));
}

TEST(TaskQueue, AStopWakesThoseWhoWait) {
  TaskQueue full(1), empty(1);
  Batch batch;
  full.push(&batch, 1, {});
  std::stop_source stop;
  std::jthread pusher([&] { EXPECT_FALSE(full.push(&batch, 1, stop.get_token())); });
  std::jthread popper([&] { EXPECT_FALSE(empty.next(false, stop.get_token())); });
  stop.request_stop();
}

TEST(BatchWindow, BatchesLeaveInTheOrderTheyCame) {
  BatchWindow window(10);
  const auto batch = [](std::size_t reads) {
    auto made = std::make_unique<Batch>();
    made->items.resize(4);
    made->reads.resize(reads);
    return made;
  };
  Batch* const first = window.push(batch(1), {});
  Batch* const second = window.push(batch(0), {});
  std::deque<std::unique_ptr<Batch>> taken;
  std::jthread reader([&] { window.ready(first); });
  ASSERT_TRUE(window.take(taken, {}));
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken[0].get(), first);
  EXPECT_EQ(taken[1].get(), second);
  window.close();
  EXPECT_FALSE(window.take(taken, {}));
}

TEST(DigestSet, HoldsWhatWasInsertedAndNothingElse) {
  DigestSet set;
  const auto id = [](int i) { return crypto::sha256(base::as_bytes(std::to_string(i))); };
  for (int i = 0; i < 5000; ++i) EXPECT_TRUE(set.insert(id(i)));
  for (int i = 0; i < 5000; ++i) EXPECT_FALSE(set.insert(id(i)));
  for (int i = 0; i < 5000; ++i) EXPECT_TRUE(set.contains(id(i)));
  for (int i = 5000; i < 10000; ++i) EXPECT_FALSE(set.contains(id(i)));
  EXPECT_EQ(set.size(), 5000U);
}

class SealTest : public ::testing::Test {
 protected:
  SealTest() {
    config_.repository.fill(9);
    config_.box_key = crypto::x25519_public(box_);
    keys_ = SealingKeys::create(config_, catalog_);
  }
  SealedPack seal(const std::vector<std::string>& texts) {
    PackBuilder builder(Content::kListing, 1 << 20, base::RawBuffer());
    for (const std::string& text : texts) {
      const auto size = static_cast<std::uint32_t>(text.size());
      builder.add(Compression::kNone, {{crypto::sha256(base::as_bytes(text)), size}}, base::as_bytes(text));
    }
    return std::move(builder).seal(keys_);
  }
  static base::Bytes bytes_of(const SealedPack& pack) {
    base::Encoder out;
    out.raw(pack.header).raw(pack.frames.span()).raw(pack.footer);
    return out.take();
  }

  const base::Key box_{base::Bytes(32, 3)}, catalog_{base::Bytes(32, 4)};
  Config config_;
  SealingKeys keys_;
};

TEST_F(SealTest, APackOpensWithTheRecoveryKeyAlone) {
  const std::vector<std::string> texts{"first", "second frame", std::string(100'000, 'x')};
  const SealedPack pack = seal(texts);
  const base::Bytes bytes = bytes_of(pack);
  EXPECT_EQ(pack.id, crypto::sha256(bytes));
  EXPECT_EQ(pack.size(), bytes.size());

  const PackHeader header = PackHeader::decode(bytes).value();
  EXPECT_EQ(header.content, Content::kListing);
  base::Encoder info;
  info.raw(base::as_bytes("kura session v1")).raw(config_.repository);
  const auto session = crypto::hpke_open(box_, info.bytes(), {}, header.session);
  ASSERT_TRUE(session);
  crypto::Aead cipher(header.aead, frame_key(base::Key(*session), header));
  std::size_t offset = kPackHeaderSize;
  for (std::uint32_t i = 0; i < texts.size(); ++i) {
    const std::size_t size = pack.record.frames[i].sealed_size;
    const auto text =
        cipher.open(crypto::Nonce::counter(i), header.associated(i), base::ByteSpan(bytes).subspan(offset, size));
    ASSERT_TRUE(text);
    EXPECT_EQ(base::as_text(*text), texts[i]);
    offset += size;
  }
}

TEST_F(SealTest, TheFooterAloneGivesTheRecord) {
  const base::Bytes bytes = bytes_of(seal({"a", "bb"}));
  const PackHeader header = PackHeader::decode(bytes).value();
  const std::uint32_t size = footer_size(base::ByteSpan(bytes).last(kPackTrailerSize), bytes.size()).value();
  const auto footer = base::ByteSpan(bytes).last(kPackTrailerSize + size).first(size);
  const PackRecord record = open_footer(header, footer, bytes.size(), catalog_).value();
  ASSERT_EQ(record.frames.size(), 2U);
  EXPECT_EQ(record.frames[1].chunks[0].size, 2U);
}

TEST_F(SealTest, TheSameTextIsNeverSealedTheSameWay) {
  const SealedPack a = seal({"same"}), b = seal({"same"});
  EXPECT_NE(a.header, b.header);
  EXPECT_NE(base::to_hex(a.frames.span()), base::to_hex(b.frames.span()));
}

TEST(IndexFolding, FewIndexesAreLeftAlone) {
  EXPECT_TRUE(indexes_to_fold(std::vector<std::size_t>(kMostIndexes, 1)).empty());
}

TEST(IndexFolding, OfManyTheSmallestAreFolded) {
  std::vector<std::size_t> frames(kMostIndexes + 1);
  std::iota(frames.rbegin(), frames.rend(), std::size_t{1});  // falling
  const auto folded = indexes_to_fold(frames);
  EXPECT_GE(folded.size(), frames.size() / 2);
  for (const std::size_t index : folded) EXPECT_LT(frames[index], 35U);
}

TEST(IndexFolding, LargeOnesAreNeverRewritten) {
  EXPECT_TRUE(indexes_to_fold(std::vector<std::size_t>(500, 1'000'000)).empty());
}

TEST(JobControl, TheFirstErrorIsTheJobs) {
  JobControl job({});
  EXPECT_TRUE(job.status().has_value());
  job.fail({base::ErrorCode::kNoSpace, "first"});
  job.fail({base::ErrorCode::kIo, "second"});
  EXPECT_TRUE(job.stopped());
  EXPECT_EQ(job.status().error().message(), "first");
}

TEST(JobControl, TheCallersStopIsNoError) {
  std::stop_source stop;
  JobControl job(stop.get_token());
  stop.request_stop();
  EXPECT_TRUE(job.stopped());
  job.fail({base::ErrorCode::kIo, "because of the stop"});
  EXPECT_EQ(job.status().error().code(), base::ErrorCode::kInterrupted);
}

}  // namespace
}  // namespace kura::archive
