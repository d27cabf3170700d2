// Damaged and lying repositories: what cannot be proved right is not written, and everything else is.
#include <filesystem>

#include <gtest/gtest.h>
#include <zstd.h>

#include "support/archive/format_samples.h"
#include "support/archive/repository_builder.h"
#include "support/archive/restored.h"

namespace kura::archive::test {
namespace {

using base::ErrorCode;
using kura::test::TemporaryFolder;
namespace fs = std::filesystem;

// Restores and expects that exactly `lost` fails, as damage, and has nothing under its name.
void expect_lost(const RepositoryBuilder& builder, const StoredSnapshot& snapshot, const std::set<std::string>& lost) {
  const TemporaryFolder target;
  const Restored restored = restore(builder.repository(), snapshot, {.target = target / "t", .verify = true});
  ASSERT_TRUE(restored.summary.has_value()) << restored.summary.error().text();
  std::set<std::string> named;
  for (const auto& [path, error] : restored.problems) {
    named.insert(path);
    EXPECT_EQ(error.code(), ErrorCode::kDamaged) << error.text();
    EXPECT_FALSE(fs::exists(target / ("t" + path)) && !fs::is_directory(target / ("t" + path))) << path;
  }
  EXPECT_EQ(named, lost);
  EXPECT_EQ(restored.summary->files_failed, lost.size());
  for (const auto& entry : fs::recursive_directory_iterator(target / "t")) {
    EXPECT_FALSE(entry.path().filename().string().starts_with(".kura-restore-")) << entry.path();
  }
  if (fs::exists(target / "t/good")) EXPECT_EQ(read_file(target / "t/good"), "good");
}

TEST(RestoreFromDamage, LosesOnlyTheFilesThatADamagedFrameHeld) {
  RepositoryBuilder builder;
  builder.compress(false);
  const Entry good = builder.file("good", "good");
  builder.end_pack(Content::kFile);
  const Entry shared = builder.file("bad", "bad");
  Entry same = shared;
  same.name = "same";
  const Entry partly = builder.file("partly", std::string(3'000, 'p') + std::string(6'000, 'q') + "the end", 3'000);
  const StoredSnapshot snapshot = builder.commit({good, shared, same, partly});
  builder.damage(store::Kind::kPack, builder.packs()[1], kPackHeaderSize + 1);
  expect_lost(builder, snapshot, {"/bad", "/same", "/partly"});
}

TEST(RestoreFromDamage, LosesOnlyTheFilesOfAPackThatIsGone) {
  RepositoryBuilder builder;
  const Entry good = builder.file("good", "good");
  builder.end_pack(Content::kFile);
  const StoredSnapshot snapshot = builder.commit({good, builder.file("bad", "bad")});
  fs::remove(builder.path_of(store::Kind::kPack, builder.packs()[1]));
  expect_lost(builder, snapshot, {"/bad"});
}

TEST(RestoreFromDamage, TakesAnotherCopyWhereThereIsOne) {
  RepositoryBuilder builder;
  const Entry good = builder.file("good", "good");
  const store::ObjectId pack = builder.end_pack(Content::kFile);
  builder.file("again", "good");
  const StoredSnapshot snapshot = builder.commit({good});
  builder.damage(store::Kind::kPack, pack, kPackHeaderSize + 1);
  expect_lost(builder, snapshot, {});
}

TEST(RestoreFromDamage, LosesOnlyWhatADamagedListingHeld) {
  RepositoryBuilder builder;
  Entry lost = builder.folder("lost", {});
  lost.content.ids = {digest_of(3)};
  expect_lost(builder, builder.commit({builder.file("good", "good"), lost}), {"/lost"});
}

TEST(RestoreFromDamage, SaysThatFurtherNamesOfALostFileAreLost) {
  RepositoryBuilder builder;
  Entry first = builder.file("a", "a");
  first.content.ids = {digest_of(3)};
  first.hard_link = {{1, 2}};
  Entry second = first;
  second.name = "b";
  expect_lost(builder, builder.commit({first, second, builder.file("good", "good")}), {"/a", "/b"});
}

TEST(RestoreFromLies, RefusesChunksUnderFalseIds) {
  RepositoryBuilder builder;
  const ChunkId claimed = builder.id_of(Content::kFile, base::as_bytes("good"));
  builder.add_as(claimed, Content::kFile, "evil");
  Entry file = builder.file("file", "");
  file.size = 4;
  file.content.ids = {claimed};
  expect_lost(builder, builder.commit({file}), {"/file"});
}

TEST(RestoreFromLies, RefusesSizesThatTheContentsDoNotHave) {
  RepositoryBuilder builder;
  Entry longer = builder.file("longer", "12345");
  longer.size = 1ULL << 60;
  Entry shorter = builder.file("shorter", "12345");
  shorter.size = 4;
  Entry empty = builder.file("empty", "12345");
  empty.size = 0;
  Entry holes = builder.file("holes", "12345");
  holes.size = 100;
  holes.extents = {{{.gap = 1, .size = 6}}};
  Entry nothing = builder.file("nothing", "");
  nothing.size = 5;
  expect_lost(builder, builder.commit({longer, shorter, empty, holes, nothing, builder.file("good", "good")}),
              {"/longer", "/shorter", "/empty", "/holes", "/nothing"});
}

TEST(RestoreFromLies, RefusesUnknownIdsAtAnyDepth) {
  RepositoryBuilder builder;
  std::vector<Entry> files = {builder.file("good", "good")};
  for (std::uint8_t depth = 0; depth <= 3; ++depth) {
    Entry file = builder.file("depth" + std::to_string(depth), "");
    file.size = 4;
    file.content = {.depth = depth, .ids = {digest_of(9)}};
    files.push_back(file);
  }
  expect_lost(builder, builder.commit(files), {"/depth0", "/depth1", "/depth2", "/depth3"});
}

TEST(RestoreFromLies, RefusesNamesThatLeadElsewhere) {
  base::Encoder out;
  RepositoryBuilder::entry(EntryType::kFifo, "..", 0600).encode(out);
  RepositoryBuilder builder;
  Entry folder = builder.folder("folder", {});
  folder.content = builder.content(Content::kListing, base::as_text(out.bytes()));
  expect_lost(builder, builder.commit({folder, builder.file("good", "good")}), {"/folder"});
}

TEST(RestoreFromLies, RefusesFramesThatOpenToMoreThanTheirChunks) {
  RepositoryBuilder builder;
  const std::string bomb(12 << 20, 'x');
  base::Bytes packed(ZSTD_compressBound(bomb.size()));
  packed.resize(ZSTD_compress(packed.data(), packed.size(), bomb.data(), bomb.size(), 3));
  const Entry good = builder.file("good", "good");
  builder.end_frame(Content::kFile);
  builder.seal_instead(packed);
  const Entry bad = builder.file("bomb", std::string(5'000, 'x'), 5'000);
  expect_lost(builder, builder.commit({good, bad}), {"/bomb"});
}

}  // namespace
}  // namespace kura::archive::test
