// Streams into chunks, and lists of their ids, through a writer into a real store.
#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "archive/backup/commit.h"
#include "archive/backup/content_writer.h"
#include "archive/backup/write_session.h"
#include "support/archive/backup_bench.h"

namespace kura::archive {
namespace {

using test::random_text;

class ContentTest : public test::BackupBench {
 protected:
  ContentTest()
      : secrets_(*repository_->write_secrets()),
        gear_(secrets_.gear_table(repository_->config().repository)),
        small_({.least = 64, .average = 256, .most = 1024}, gear_) {}

  // Puts in a session of its own what `work` puts, and commits all of it.
  template <typename Work>
  void in_backup(Work work) {
    JobControl job({});
    const auto session = WriteSession::open(*repository_, LeasePurpose::kBackup, true, {}).value();
    IndexWriter indexes(*repository_);
    Writer writer(
        repository_->store(), repository_->config(), secrets_, session->known(),
        [&](IndexedPack pack, PackBytes) { return indexes.add(std::move(pack), true); }, job);
    {
      writer_ = &writer;
      Lane lane(writer);
      work(lane);
    }
    ASSERT_TRUE(writer.finish().has_value());
    chunks_new_ = writer.chunks_new();
    ASSERT_TRUE(commit_snapshot(*session, writer, indexes, {}, {}, 0).has_value());
  }
  std::string read_back(const ContentRef& content) const {
    std::vector<DamagedObject> damaged;
    const ChunkIndex index = load_all_indexes(*repository_, damaged).value();
    PackReader reader(*repository_, index);
    std::string text;
    for (const ChunkId& id : reader.leaves(content).value()) {
      text += base::as_text(reader.chunk(id, Content::kFile).value());
    }
    return text;
  }
  WrittenContent put(Lane& lane, std::string_view text, std::size_t piece = 10'000) {
    ContentWriter content(lane, small_, Content::kFile);
    for (std::size_t at = 0; at < text.size(); at += piece) {
      EXPECT_TRUE(content.append(base::as_bytes(text.substr(at, piece))).has_value());
    }
    return content.finish().value();
  }

  const WriteSecrets& secrets_;
  const GearTable gear_;
  const Chunker small_;
  Writer* writer_ = nullptr;  // of the backup in progress
  std::uint64_t chunks_new_ = 0;
};

TEST_F(ContentTest, AnEmptyStreamHasNoIds) {
  in_backup([&](Lane& lane) { EXPECT_EQ(put(lane, "").ref, ContentRef{}); });
}

TEST_F(ContentTest, StreamsOfAllDepthsComeBack) {
  for (const std::size_t size : {1U, 5'000U, 60'000U, 500'000U, 6'000'000U}) {
    const std::string text = random_text(size, static_cast<unsigned>(size));
    WrittenContent content;
    in_backup([&](Lane& lane) { content = put(lane, text); });
    EXPECT_LE(content.ref.ids.size(), 128U);
    EXPECT_EQ(content.ref.depth > 0, size > 50'000) << size;
    EXPECT_TRUE(read_back(content.ref) == text) << size;
  }
}

TEST_F(ContentTest, TheSameBytesAreStoredOnce) {
  const std::string text = random_text(2'000'000, 1);
  WrittenContent first, second;
  in_backup([&](Lane& lane) {
    first = put(lane, text, 777);
    second = put(lane, text, 100'000);
  });
  EXPECT_EQ(first.ref, second.ref);
  in_backup([&](Lane& lane) { EXPECT_EQ(put(lane, text).ref, first.ref); });
  EXPECT_EQ(chunks_new_, 0U);
}

TEST_F(ContentTest, AChangeInALongStreamLeavesMostListsAlone) {
  std::string text = random_text(8'000'000, 1);
  in_backup([&](Lane& lane) { put(lane, text); });
  text.insert(text.size() / 2, "inserted");
  in_backup([&](Lane& lane) { put(lane, text); });
  EXPECT_LE(chunks_new_, 12U);
}

TEST_F(ContentTest, BelowNamesEveryChunkThatTheContentDoesNot) {
  const std::string text = random_text(500'000, 1);
  in_backup([&](Lane& lane) {
    const WrittenContent content = put(lane, text);
    ASSERT_GT(content.ref.depth, 0);
    std::set<ChunkId> all(content.below.begin(), content.below.end());
    all.insert(content.ref.ids.begin(), content.ref.ids.end());
    EXPECT_EQ(all.size(), writer_->chunks_new());
    for (const ChunkId& id : all) EXPECT_TRUE(writer_->use(id));
  });
}

TEST_F(ContentTest, AForgottenStreamLeavesNoTraceInTheNext) {
  in_backup([&](Lane& lane) {
    ContentWriter content(lane, small_, Content::kFile);
    ASSERT_TRUE(content.append(base::as_bytes(random_text(5'000, 1))).has_value());
    content.reset();
    ASSERT_TRUE(content.append(base::as_bytes("new")).has_value());
    EXPECT_EQ(content.finish().value().ref, put(lane, "new").ref);
  });
}

TEST_F(ContentTest, AnUnknownChunkCannotBeUsed) {
  in_backup([&](Lane&) { EXPECT_FALSE(writer_->use(ChunkId::from_bytes(base::Bytes(32, 1)))); });
}

}  // namespace
}  // namespace kura::archive
