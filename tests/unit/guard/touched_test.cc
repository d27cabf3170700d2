#include "guard/touched.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "guard/judge/passing.h"
#include "guard/watch/held.h"

namespace kura::guard {
namespace {

constexpr const char* kActor = "smb:192.0.2.7:alice:office";

class Touched : public testing::Test {
 protected:
  Touched() {
    std::filesystem::create_directories(folder_);
    memory_ = *Memory::open(folder_ + "/memory.sqlite");
  }
  ~Touched() override { std::filesystem::remove_all(folder_); }

  void touch(std::int64_t time, const std::string& what, const std::string& path, const std::string& from = {}) {
    memory_->touch(kActor, {path, from, what, time});
  }
  std::int64_t save(std::int64_t time, const std::string& path) {
    return memory_->add_saved(
        {.id = 0, .path = path, .actor = kActor, .inode = 1, .size = 1, .modified = 1, .time = time});
  }
  std::vector<TouchedFile> since(std::int64_t time, const std::string& proven) {
    return touched_files(*memory_, kActor, time, {{Sign::kReplaced, proven, time, {}}});
  }

  const std::string folder_ = testing::TempDir() + "kura-touched-" + std::to_string(::getpid());
  std::unique_ptr<Memory> memory_;
};

TEST_F(Touched, AFileRenamedFirstAndWrittenThenHasItsOldNameAndContents) {
  touch(10, "renamed", "a.locked", "a");
  const std::int64_t saved = save(11, "a.locked");
  touch(12, "written", "a.locked");
  const auto files = since(12, "a.locked");
  ASSERT_EQ(files.size(), 2U);
  for (const TouchedFile& file : files) {
    EXPECT_EQ(file.original, "a");
    EXPECT_EQ(file.saved, saved);
  }
}

TEST_F(Touched, WhatARenameReplacedIsTheFileAndTheTemporaryOneIsNone) {
  touch(10, "created", "a.tmp");
  const std::int64_t saved = save(12, "a");
  touch(12, "renamed", "a", "a.tmp");
  const auto files = since(12, "a");
  ASSERT_EQ(files.size(), 3U);
  EXPECT_EQ(files[0].touch.what, "created");
  EXPECT_EQ(files[1].touch.what, "replaced");
  EXPECT_EQ(files[1].original, "a");
  EXPECT_EQ(files[1].saved, saved);
  EXPECT_EQ(files[2].original, "a.tmp");
}

TEST_F(Touched, HonestChangesBeforeTheFirstBrokenFileAreNotListed) {
  touch(8, "written", "a");
  touch(9, "written", "other");
  touch(10, "deleted", "a");
  save(10, "a");
  const auto files = since(12, "a");
  ASSERT_EQ(files.size(), 1U);
  EXPECT_EQ(files[0].touch.what, "deleted");
}

TEST_F(Touched, ChangesOfAnUnnamedClientGoOverToHim) {
  memory_->touch("smb::77:5", {"a", {}, "written", 10});
  memory_->give_over("smb::77:5", kActor);
  EXPECT_EQ(since(10, "a").size(), 1U);
}

TEST_F(Touched, ADeletedFileIsStillThereAndLetGoWhenItIsTaken) {
  const std::string path = folder_ + "/file";
  std::ofstream(path) << "contents";
  const base::UniqueFd root(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  struct stat facts{};
  ASSERT_EQ(::stat(path.c_str(), &facts), 0);
  HeldFiles held(root.get(), 2);
  held.adopt(base::UniqueFd(::open(path.c_str(), O_PATH | O_CLOEXEC)));
  EXPECT_FALSE(held.take_gone(facts.st_ino)) << "it has its name";
  ASSERT_EQ(::unlink(path.c_str()), 0);
  const base::UniqueFd gone = held.take_gone(facts.st_ino);
  ASSERT_TRUE(gone);
  std::array<char, 16> bytes{};
  EXPECT_EQ(::read(gone.get(), bytes.data(), bytes.size()), 8);
  EXPECT_EQ(held.size(), 0U);
}

TEST_F(Touched, OfTooManyFilesTheOnesUsedLastAreHeld) {
  const base::UniqueFd root(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  HeldFiles held(root.get(), 2);
  std::vector<std::uint64_t> inodes;
  for (const std::string name : {"1", "2", "3"}) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path) << name;
    struct stat facts{};
    ASSERT_EQ(::stat(path.c_str(), &facts), 0);
    inodes.push_back(facts.st_ino);
    held.adopt(base::UniqueFd(::open(path.c_str(), O_PATH | O_CLOEXEC)));
  }
  for (const std::string name : {"1", "2", "3"}) ::unlink((folder_ + "/" + name).c_str());
  EXPECT_EQ(held.size(), 2U);
  EXPECT_FALSE(held.take_gone(inodes[0]));
  EXPECT_TRUE(held.take_gone(inodes[2]));
}

TEST(Passing, AFileThatCameIsMatchedWithOneThatWentOnly) {
  std::deque<Passing> came;
  std::deque<Passing> went;
  for (int i = 0; i < 2; ++i) note_passing(came, {"a/new", 10'000, 5});
  note_passing(went, {"b/one", 10'000, 5});
  note_passing(went, {"c/two", 10'000, 5});
  EXPECT_TRUE(take_pair(came, went));
  EXPECT_FALSE(take_pair(came, went));
}

TEST(Passing, ByTheirSizesAloneFilesMatchWithinTenMinutesOnly) {
  std::deque<Passing> came{{"a/new", 10'000, 0}};
  std::deque<Passing> went{{"b/old", 10'000, 601'000'000'000}};
  EXPECT_FALSE(take_pair(came, went));
  went.front().time = 599'000'000'000;
  EXPECT_TRUE(take_pair(came, went));
}

TEST(Gone, TheOldestAreLetGoWhenTheyKeepTooMuchOfTheDisk) {
  std::deque<GoneFile> gone;
  constexpr std::uint64_t kLarge = 400U << 20;
  for (std::int64_t time = 1; time <= 4; ++time) note_gone(gone, {std::to_string(time), {}, kLarge, time});
  ASSERT_EQ(gone.size(), 2U);
  EXPECT_EQ(gone.front().path, "3");
  forget_gone(gone, 4);
  EXPECT_EQ(gone.size(), 1U);
}

}  // namespace
}  // namespace kura::guard
