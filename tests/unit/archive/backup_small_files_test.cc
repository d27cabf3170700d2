#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "archive/backup/small_files.h"
#include "support/temporary_folder.h"

namespace kura::archive {
namespace {

namespace fs = std::filesystem;

std::size_t open_descriptors() {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

class SmallFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    SmallFiles files;
    Batch batch = std::move(batch_);
    for (const char* name : {"a", "b", "c", "d"}) add(name, "probe");
    if (files.fetch(batch_).front().fd < 0) GTEST_SKIP() << "no io_uring here";
    batch_ = std::move(batch);
  }
  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }
  void write(const std::string& name, const std::string& text) { std::ofstream(path(name)) << text; }
  // Makes it, and notes it as the walk does.
  std::size_t add(const std::string& name, const std::string& text) {
    write(name, text);
    return add(name);
  }
  std::size_t add(const std::string& name) {
    Batch::Read read{.parent = open_folder(AT_FDCWD, folder_.path().c_str(), true), .status = {}, .item = 0};
    EXPECT_EQ(::lstat(path(name).c_str(), &read.status), 0);
    read.item = batch_.items.size();
    batch_.items.emplace_back().entry.name = name;
    batch_.reads.push_back(read);
    return batch_.reads.size() - 1;
  }
  void add_others() {
    for (int i = 0; i < 8; ++i) add("other" + std::to_string(i), "o");
  }
  static std::string text(const SmallFile& file) { return {file.bytes.begin(), file.bytes.end()}; }

  kura::test::TemporaryFolder folder_;
  Batch batch_;
};

TEST_F(SmallFilesTest, EachHasItsOwnBytesAndAnOpenDescriptorOfItself) {
  for (int i = 0; i < 200; ++i)
    add("f" + std::to_string(i), std::string(static_cast<std::size_t>(1 + i * 37), 'a') + std::to_string(i));
  SmallFiles files;
  for (int round = 0; round < 3; ++round) {
    const auto fetched = files.fetch(batch_);
    ASSERT_EQ(fetched.size(), 200U);
    for (std::size_t i = 0; i < 200; ++i) {
      EXPECT_EQ(text(fetched[i]), std::string(1 + i * 37, 'a') + std::to_string(i));
      struct stat status{};
      ASSERT_EQ(::fstat(fetched[i].fd, &status), 0);
      EXPECT_EQ(status.st_ino, batch_.reads[i].status.st_ino);
    }
  }
}

TEST_F(SmallFilesTest, WhatIsGoneOrReplacedOrCutShortIsLeftToOthers) {
  add_others();
  const std::size_t gone = add("gone", "text"), link = add("link", "text"), fifo = add("fifo", "text"),
                    folder = add("folder", "text"), cut = add("cut", "some text"), whole = add("whole", "text");
  for (const char* name : {"gone", "link", "fifo", "folder"}) fs::remove(path(name));
  fs::create_symlink("whole", path("link"));
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  fs::create_directory(path("folder"));
  fs::resize_file(path("cut"), 3);
  SmallFiles files;
  const auto fetched = files.fetch(batch_);
  for (const std::size_t i : {gone, link, fifo, folder, cut}) EXPECT_LT(fetched[i].fd, 0) << i;
  EXPECT_EQ(text(fetched[whole]), "text");
}

TEST_F(SmallFilesTest, OfAFileThatGrewOnlyWhatTheWalkSawIsRead) {
  add_others();
  const std::size_t grown = add("grown", "text");
  write("grown", "textand more");
  SmallFiles files;
  EXPECT_EQ(text(files.fetch(batch_)[grown]), "text");
}

TEST_F(SmallFilesTest, LongEmptyAndSparseFilesAreLeftToOthers) {
  add_others();
  const std::size_t empty = add("empty", ""), large = add("large", std::string((64 << 10) + 1, 'l')),
                    largest = add("largest", std::string(64 << 10, 'l'));
  write("sparse", "");
  fs::resize_file(path("sparse"), 60 << 10);
  const std::size_t sparse = add("sparse");
  SmallFiles files;
  const auto fetched = files.fetch(batch_);
  for (const std::size_t i : {empty, large, sparse}) EXPECT_LT(fetched[i].fd, 0) << i;
  EXPECT_EQ(fetched[largest].bytes.size(), 64U << 10);
}

TEST_F(SmallFilesTest, OfTooManyBytesTheFirstFilesAreFetched) {
  for (int i = 0; i < 40; ++i) add("f" + std::to_string(i), std::string(64 << 10, static_cast<char>('a' + i % 26)));
  SmallFiles files;
  const auto fetched = files.fetch(batch_);
  for (std::size_t i = 0; i < 32; ++i)
    EXPECT_EQ(text(fetched[i]), std::string(64 << 10, static_cast<char>('a' + i % 26)));
  for (std::size_t i = 32; i < 40; ++i) EXPECT_LT(fetched[i].fd, 0);
}

TEST_F(SmallFilesTest, NoDescriptorStaysBehind) {
  add_others();
  const std::size_t before = open_descriptors();
  {
    SmallFiles files;
    for (int i = 0; i < 3; ++i) {
      files.fetch(batch_);
      files.let_go();
    }
    const std::size_t ring = open_descriptors() - before;
    files.fetch(batch_);
    EXPECT_EQ(open_descriptors(), before + ring + batch_.reads.size());
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(SmallFilesTest, NothingIsFetchedWhenItIsSwitchedOff) {
  add_others();
  ASSERT_EQ(::setenv("KURA_IO_URING", "off", 1), 0);
  SmallFiles files;
  for (const SmallFile& file : files.fetch(batch_)) EXPECT_LT(file.fd, 0);
  ASSERT_EQ(::unsetenv("KURA_IO_URING"), 0);
}

}  // namespace
}  // namespace kura::archive
