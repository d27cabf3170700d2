#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "archive/backup/file_cache.h"
#include "archive/backup/walk_order.h"
#include "support/temporary_folder.h"

namespace kura::archive {
namespace {

const store::ObjectId kConfig = store::ObjectId::from_bytes(base::Bytes(32, 7));

CachedFile file_of(std::uint64_t number) {
  CachedFile file;
  file.stamp = {.size = number, .mtime = -5, .ctime = 6, .device = 7, .inode = number};
  file.trusted = number % 2 == 0;
  file.size = number;
  file.content.ref = {.depth = 1, .ids = {ChunkId::from_bytes(base::Bytes(32, static_cast<std::uint8_t>(number)))}};
  file.content.below = {ChunkId::from_bytes(base::Bytes(32, 1)), ChunkId::from_bytes(base::Bytes(32, 2))};
  file.extents = {{.gap = 3, .size = 4}, {.gap = 5, .size = 6}};
  file.xattrs = {{"user.a", "value"}, {"user.b", std::string("\0x", 2)}};
  return file;
}

std::string name_of_file(int number) {
  std::string digits = std::to_string(number);
  return "/folder/" + std::string(6 - digits.size(), '0') + digits;
}

class FileCacheTest : public ::testing::Test {
 protected:
  void write(int files) const {
    FileCacheWriter writer(path_, kConfig);
    for (int i = 0; i < files; ++i) writer.add(name_of_file(i), file_of(static_cast<std::uint64_t>(i)));
    writer.commit();
  }
  int count_found(int files) const {
    FileCacheReader reader(path_, kConfig);
    int found = 0;
    for (int i = 0; i < files; ++i) {
      const CachedFile* file = reader.find(name_of_file(i));
      if (file == nullptr) continue;
      EXPECT_EQ(file->stamp.inode, static_cast<std::uint64_t>(i));
      ++found;
    }
    return found;
  }
  std::string slurp() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void spill(const std::string& bytes) const { std::ofstream(path_, std::ios::binary | std::ios::trunc) << bytes; }

  kura::test::TemporaryFolder folder_;
  std::string path_ = folder_ / "series.files";
};

TEST_F(FileCacheTest, WhatWasWrittenIsFound) {
  write(3);
  FileCacheReader reader(path_, kConfig);
  EXPECT_EQ(reader.find("/a"), nullptr);
  for (int i = 0; i < 3; ++i) {
    const CachedFile* found = reader.find(name_of_file(i));
    ASSERT_NE(found, nullptr);
    const CachedFile expected = file_of(static_cast<std::uint64_t>(i));
    EXPECT_EQ(found->stamp, expected.stamp);
    EXPECT_EQ(found->trusted, expected.trusted);
    EXPECT_EQ(found->size, expected.size);
    EXPECT_EQ(found->content.ref, expected.content.ref);
    EXPECT_EQ(found->content.below, expected.content.below);
    EXPECT_EQ(found->extents, expected.extents);
    EXPECT_EQ(found->xattrs, expected.xattrs);
  }
  EXPECT_EQ(reader.find("/z"), nullptr);
}

TEST_F(FileCacheTest, FilesThatCameAndWentDoNotDisturbOthers) {
  write(100);
  FileCacheReader reader(path_, kConfig);
  EXPECT_NE(reader.find("/folder/000010"), nullptr);
  EXPECT_EQ(reader.find("/folder/000010x"), nullptr);
  EXPECT_NE(reader.find("/folder/000099"), nullptr);
}

TEST_F(FileCacheTest, ACacheOfAnotherRepositoryIsEmpty) {
  write(3);
  FileCacheReader reader(path_, store::ObjectId::from_bytes(base::Bytes(32, 8)));
  EXPECT_EQ(reader.find(name_of_file(0)), nullptr);
}

TEST_F(FileCacheTest, NoCacheIsAnEmptyCache) { EXPECT_EQ(count_found(3), 0); }

TEST_F(FileCacheTest, AtDamageTheRestIsNotUsed) {
  constexpr int kFiles = 6000;  // several blocks
  write(kFiles);
  const std::string whole = slurp();
  ASSERT_EQ(count_found(kFiles), kFiles);
  for (const std::size_t at : {std::size_t{0}, std::size_t{9}, std::size_t{60}, whole.size() / 2, whole.size() - 1}) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 4);
    spill(damaged);
    EXPECT_LT(count_found(kFiles), kFiles) << at;
  }
  spill(whole.substr(0, whole.size() / 2));
  EXPECT_LT(count_found(kFiles), kFiles);
}

TEST_F(FileCacheTest, WithoutCommitTheCacheBeforeStays) {
  write(3);
  {
    FileCacheWriter writer(path_, kConfig);
    writer.add(name_of_file(0), file_of(1000));
  }
  EXPECT_EQ(count_found(3), 3);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 1);  // and no temporary
}

TEST(FileStamp, IsTrustedOnlyWhenALaterChangeMustShow) {
  constexpr std::int64_t kMs = 1'000'000;
  constexpr std::int64_t kNow = 1'700'000'000'123'456'789;
  const auto settled = [](std::int64_t mtime, std::int64_t ctime) {
    return FileStamp{.mtime = mtime, .ctime = ctime}.settled_at(kNow);
  };
  EXPECT_TRUE(settled(kNow - 60 * kMs, kNow - 60 * kMs));
  EXPECT_FALSE(settled(kNow - 60 * kMs, kNow - 40 * kMs));
  EXPECT_FALSE(settled(kNow + 1, kNow - 60 * kMs));  // a clock set back
  const std::int64_t second = 1'700'000'000'000'000'000;
  EXPECT_FALSE(settled(second - 1000 * kMs, second - 1000 * kMs));  // stamps of whole seconds
  EXPECT_TRUE(settled(second - 2000 * kMs, second - 2000 * kMs));
}

}  // namespace
}  // namespace kura::archive
