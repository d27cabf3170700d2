// What a restore writes, on repositories made chunk by chunk.
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>

#include <gtest/gtest.h>

#include "support/archive/repository_builder.h"
#include "support/archive/restored.h"

namespace kura::archive::test {
namespace {

using base::ErrorCode;
using kura::test::TemporaryFolder;

std::string long_text(std::size_t size, unsigned seed = 1) {
  std::string text(size, '\0');
  for (char& c : text) c = static_cast<char>('a' + (seed = seed * 1103515245 + 12345) / 65536 % 26);
  return text;
}

struct stat status_of(const std::string& path) {
  struct stat status{};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
  return status;
}

TEST(Restore, WritesFilesFoldersAndLinksWithTheirModesAndTimes) {
  RepositoryBuilder builder;
  const std::string big = long_text(50'000);
  Entry setuid = builder.file("setuid", "x");
  setuid.mode = 04711;
  Entry old = builder.file("old", "before 1970");
  old.mtime_seconds = -12345;
  const StoredSnapshot snapshot = builder.commit({builder.folder(
      "home", {builder.file("big", big), builder.file("small", "hi"), builder.file("empty", ""), setuid, old,
               RepositoryBuilder::symlink("link", "/nowhere"), RepositoryBuilder::entry(EntryType::kFifo, "fifo", 0620),
               RepositoryBuilder::entry(EntryType::kSocket, "socket", 0620)})});
  const TemporaryFolder target;
  const Restored restored = restore(builder.repository(), snapshot, {.target = target / "new/target"});
  ASSERT_TRUE(restored.summary.has_value()) << restored.summary.error().text();
  EXPECT_TRUE(restored.problems.empty()) << restored.problems.begin()->second.text();
  EXPECT_EQ(restored.summary->files_restored, 5U);
  EXPECT_EQ(restored.summary->folders, 1U);
  EXPECT_EQ(restored.summary->others, 3U);
  EXPECT_EQ(restored.summary->bytes_written, big.size() + 2 + 1 + 11);

  const std::string home = target / "new/target/home";
  EXPECT_EQ(read_file(home + "/big"), big);
  EXPECT_EQ(read_file(home + "/small"), "hi");
  EXPECT_EQ(read_file(home + "/empty"), "");
  EXPECT_EQ(status_of(home + "/setuid").st_mode & 07777U, 04711U);
  EXPECT_EQ(status_of(home + "/old").st_mtim.tv_sec, -12345);
  EXPECT_EQ(status_of(home + "/small").st_mtim.tv_nsec, 123'456'789);
  EXPECT_EQ(status_of(home + "/link").st_mtim.tv_sec, 1'500'000'000);
  EXPECT_EQ(std::filesystem::read_symlink(home + "/link"), "/nowhere");
  EXPECT_TRUE(S_ISFIFO(status_of(home + "/fifo").st_mode));
  EXPECT_EQ(status_of(home + "/fifo").st_mode & 07777U, 0620U);
  EXPECT_EQ(status_of(home).st_mode & 07777U, 0750U);
  EXPECT_EQ(status_of(home).st_mtim.tv_sec, 1'500'000'000);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(home), {}), 7);  // and no temporaries
}

TEST(Restore, WritesAFoldersContentsOrAFileIntoTheTarget) {
  RepositoryBuilder builder;
  const StoredSnapshot snapshot =
      builder.commit({builder.folder("a", {builder.folder("b", {builder.file("c", "c")}), builder.file("d", "d")})});
  const TemporaryFolder target;
  ASSERT_TRUE(restore(builder.repository(), snapshot, {.path = "/a/", .target = target / "1"}).summary);
  EXPECT_EQ(read_file(target / "1/b/c"), "c");
  EXPECT_EQ(status_of(target / "1").st_mtim.tv_sec, 1'500'000'000);
  ASSERT_TRUE(restore(builder.repository(), snapshot, {.path = "/a/b/c", .target = target / "2"}).summary);
  EXPECT_EQ(read_file(target / "2/c"), "c");
  const Restored nothing = restore(builder.repository(), snapshot, {.path = "/a/x", .target = target / "3"});
  ASSERT_FALSE(nothing.summary.has_value());
  EXPECT_EQ(nothing.summary.error().code(), ErrorCode::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(target / "3"));
}

TEST(Restore, TakesInAndLeavesOutByPatterns) {
  RepositoryBuilder builder;
  const StoredSnapshot snapshot = builder.commit(
      {builder.folder("a", {builder.folder("b", {builder.file("c.txt", "c"), builder.file("c.tmp", "t")}),
                            builder.folder("empty", {}), builder.file("d.txt", "d")}),
       builder.folder("z", {builder.file("y.bin", "y")})});
  const TemporaryFolder target;
  RestoreOptions options{.target = target / "t"};
  ASSERT_TRUE(options.includes.add("*.txt"));
  ASSERT_TRUE(options.includes.add("/z"));
  ASSERT_TRUE(options.excludes.add("d.txt"));
  const Restored restored = restore(builder.repository(), snapshot, options);
  ASSERT_TRUE(restored.summary.has_value());
  std::set<std::string> names;
  for (const auto& [name, line] : describe_tree(target / "t")) names.insert(name);
  EXPECT_EQ(names, (std::set<std::string>{"a", "a/b", "a/b/c.txt", "z", "z/y.bin"}));
  EXPECT_EQ(status_of(target / "t/a").st_mtim.tv_sec, 1'500'000'000);
}

TEST(Restore, LeavesHolesWhereTheyWere) {
  RepositoryBuilder builder;
  Entry sparse = builder.file("sparse", long_text(3'000) + long_text(500, 2), 700);
  sparse.size = 10 << 20;
  sparse.extents = {{{.gap = 1 << 20, .size = 3'000}, {.gap = 5 << 20, .size = 500}}};
  Entry hole = builder.file("hole", "");
  hole.size = 4 << 20;
  hole.extents.emplace();
  const StoredSnapshot snapshot = builder.commit({sparse, hole});
  const TemporaryFolder target;
  const Restored restored = restore(builder.repository(), snapshot, {.target = target.path(), .verify = true});
  ASSERT_TRUE(restored.summary.has_value());
  EXPECT_TRUE(restored.problems.empty());
  std::string expected(10 << 20, '\0');
  expected.replace(1 << 20, 3'000, long_text(3'000));
  expected.replace((6 << 20) + 3'000, 500, long_text(500, 2));
  EXPECT_EQ(read_file(target / "sparse"), expected);
  EXPECT_EQ(read_file(target / "hole"), std::string(4 << 20, '\0'));
  EXPECT_LT(status_of(target / "sparse").st_blocks, 200);
  EXPECT_EQ(status_of(target / "hole").st_blocks, 0);
}

TEST(Restore, LinksTheNamesOfOneFile) {
  RepositoryBuilder builder;
  Entry first = builder.file("first", long_text(5'000));
  first.hard_link = {{1, 2}};
  Entry second = first;
  second.name = "second";
  Entry third = first;
  third.name = "third";
  Entry other = builder.file("other", "of another file, whatever it says");
  other.hard_link = {{1, 2}};
  Entry link = RepositoryBuilder::symlink("zlink", "x");
  link.hard_link = {{3, 4}};
  Entry link2 = link;
  link2.name = "zlink2";
  const StoredSnapshot snapshot = builder.commit({first, builder.folder("sub", {third}), second, other, link, link2});
  const TemporaryFolder target;
  ASSERT_TRUE(restore(builder.repository(), snapshot, {.target = target / "all"}).problems.empty());
  EXPECT_EQ(status_of(target / "all/first").st_ino, status_of(target / "all/second").st_ino);
  EXPECT_EQ(status_of(target / "all/first").st_ino, status_of(target / "all/sub/third").st_ino);
  EXPECT_EQ(status_of(target / "all/zlink").st_ino, status_of(target / "all/zlink2").st_ino);
  EXPECT_EQ(read_file(target / "all/other"), "of another file, whatever it says");

  // Once more over it: names that are one file already are left alone.
  const ino_t inode = status_of(target / "all/first").st_ino;
  const Restored over = restore(builder.repository(), snapshot, {.target = target / "all"});
  EXPECT_EQ(over.summary->files_restored, 0U);
  EXPECT_EQ(over.summary->files_skipped, 4U);
  EXPECT_EQ(status_of(target / "all/sub/third").st_ino, inode);

  // Without the first name; then with it, beside those that are there.
  RestoreOptions some{.target = target / "some"};
  ASSERT_TRUE(some.excludes.add("/first"));
  ASSERT_TRUE(restore(builder.repository(), snapshot, some).problems.empty());
  EXPECT_EQ(status_of(target / "some/second").st_ino, status_of(target / "some/sub/third").st_ino);
  EXPECT_EQ(read_file(target / "some/second"), long_text(5'000));
  std::filesystem::remove(target / "some/second");
  const Restored again = restore(builder.repository(), snapshot, {.target = target / "some"});
  EXPECT_TRUE(again.problems.empty());
  EXPECT_EQ(status_of(target / "some/first").st_ino, status_of(target / "some/second").st_ino);
  EXPECT_EQ(status_of(target / "some/first").st_ino, status_of(target / "some/sub/third").st_ino);
}

TEST(Restore, MakesDevicesAsRootAndSaysSoWhenItCannot) {
  RepositoryBuilder builder;
  Entry device = RepositoryBuilder::entry(EntryType::kCharDevice, "null", 0666);
  device.device_major = 1;
  device.device_minor = 3;
  const StoredSnapshot snapshot = builder.commit({device, builder.file("a", "a")});
  const TemporaryFolder target;
  const Restored restored = restore(builder.repository(), snapshot, {.target = target / "t"});
  ASSERT_TRUE(restored.summary.has_value());
  if (::geteuid() == 0 && restored.problems.empty()) {
    EXPECT_EQ(status_of(target / "t/null").st_rdev, makedev(1, 3));
  } else {
    EXPECT_TRUE(restored.problems.contains("/null"));
  }
  EXPECT_EQ(read_file(target / "t/a"), "a");
}

TEST(Restore, ReachesFoldersFartherDownThanAnyPath) {
  RepositoryBuilder builder;
  constexpr int kDepth = 600;  // of 20 bytes each: three times PATH_MAX, and more folders than are kept open
  const std::string name(20, 'n');
  std::vector<Entry> inner = {builder.file("file", "deep down")};
  for (int depth = 0; depth < kDepth; ++depth) inner = {builder.folder(name, inner)};
  const StoredSnapshot snapshot = builder.commit(inner);
  const TemporaryFolder target;
  const Restored restored = restore(builder.repository(), snapshot, {.target = target / "t", .verify = true});
  ASSERT_TRUE(restored.summary.has_value());
  EXPECT_TRUE(restored.problems.empty()) << restored.problems.begin()->second.text();
  EXPECT_EQ(restored.summary->bytes_verified, 9U);
  EXPECT_EQ(std::system(("rm -rf '" + (target / "t") + "'").c_str()), 0);  // std::filesystem cannot
}

TEST(Restore, CountsButWritesNothingInADryRun) {
  RepositoryBuilder builder;
  const StoredSnapshot snapshot = builder.commit(
      {builder.folder("a", {builder.file("b", "bb"), RepositoryBuilder::symlink("c", "d")}), builder.file("e", "e")});
  const TemporaryFolder target;
  const Restored absent = restore(builder.repository(), snapshot, {.target = target / "t", .dry_run = true});
  ASSERT_TRUE(absent.summary.has_value());
  EXPECT_EQ(absent.summary->files_restored, 2U);
  EXPECT_EQ(absent.summary->folders, 1U);
  EXPECT_EQ(absent.summary->others, 1U);
  EXPECT_EQ(absent.summary->bytes_written, 3U);
  EXPECT_FALSE(std::filesystem::exists(target / "t"));

  ASSERT_TRUE(restore(builder.repository(), snapshot, {.target = target / "t"}).summary);
  std::filesystem::remove(target / "t/a/b");
  const Restored some = restore(builder.repository(), snapshot, {.target = target / "t", .dry_run = true});
  EXPECT_EQ(some.summary->files_restored, 1U);
  EXPECT_EQ(some.summary->files_skipped, 1U);
  EXPECT_FALSE(std::filesystem::exists(target / "t/a/b"));
}

TEST(Restore, StopsWhenItIsAskedTo) {
  RepositoryBuilder builder;
  const StoredSnapshot snapshot = builder.commit({builder.file("a", long_text(100'000))});
  const TemporaryFolder target;
  std::stop_source stop;
  stop.request_stop();
  const Restored restored = restore(builder.repository(), snapshot, {.target = target / "t"}, stop.get_token());
  ASSERT_FALSE(restored.summary.has_value());
  EXPECT_EQ(restored.summary.error().code(), ErrorCode::kInterrupted);
  EXPECT_FALSE(std::filesystem::exists(target / "t/a"));
}

TEST(Restore, NeedsTheRecoveryKey) {
  RepositoryBuilder builder;
  const StoredSnapshot snapshot = builder.commit({builder.file("a", "a")});
  const Repository as_machine = Repository::open(builder.repository().shared_store(), builder.state_folder()).value();
  const TemporaryFolder target;
  EXPECT_FALSE(restore(as_machine, snapshot, {.target = target / "t"}).summary.has_value());
}

}  // namespace
}  // namespace kura::archive::test
