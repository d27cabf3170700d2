// What becomes of what is in the target already: overwriting, going on after an interruption, and traps.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include <gtest/gtest.h>

#include "archive/restore/report.h"
#include "archive/restore/target_tree.h"
#include "base/unique_fd.h"
#include "support/archive/repository_builder.h"
#include "support/archive/restored.h"

namespace kura::archive::test {
namespace {

using base::ErrorCode;
using kura::test::TemporaryFolder;
namespace fs = std::filesystem;

constexpr std::size_t kChunk = 1000;

std::string numbered_text(const std::string& of = "") {
  std::string text;
  for (int line = 0; line < 2000; ++line) text += of + "line " + std::to_string(line) + "\n";
  return text;
}

// The largest file that this process may write, for a while: the system refuses more with EFBIG.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::size_t bytes) {
    EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &before_), 0);
    const struct rlimit limit{.rlim_cur = bytes, .rlim_max = before_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    signal_before_ = ::signal(SIGXFSZ, SIG_IGN);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, signal_before_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  struct rlimit before_{};
  void (*signal_before_)(int) = SIG_DFL;
};

class RestoreOver : public testing::Test {
 protected:
  RestoreOver()
      : snapshot_(builder_.commit({builder_.folder("f", {builder_.file("a", "aaa"), builder_.file("b", "bbb")}),
                                   builder_.file("big", numbered_text(), kChunk),
                                   RepositoryBuilder::symlink("link", "f/a")})) {}

  Restored run(Overwrite overwrite = Overwrite::kChanged, bool verify = false) {
    return restore(builder_.repository(), snapshot_,
                   {.target = target_.path(), .overwrite = overwrite, .verify = verify});
  }
  void expect_whole() {
    EXPECT_EQ(read_file(target_ / "f/a"), "aaa");
    EXPECT_EQ(read_file(target_ / "f/b"), "bbb");
    EXPECT_EQ(read_file(target_ / "big"), numbered_text());
    EXPECT_EQ(fs::read_symlink(target_ / "link"), "f/a");
  }

  RepositoryBuilder builder_;
  const StoredSnapshot snapshot_;
  const TemporaryFolder target_;
};

TEST_F(RestoreOver, SkipsWhatIsComplete) {
  ASSERT_TRUE(run().summary);
  const Restored again = run();
  EXPECT_EQ(again.summary->files_skipped, 3U);
  EXPECT_EQ(again.summary->files_restored, 0U);
  EXPECT_EQ(again.summary->bytes_written, 0U);
  expect_whole();
}

TEST_F(RestoreOver, ReplacesWhatHasChanged) {
  ASSERT_TRUE(run().summary);
  write_file(target_ / "f/a", "AAA");  // another time
  write_file(target_ / "big", "short");
  fs::remove(target_ / "link");
  write_file(target_ / "link", "no link");
  const Restored again = run();
  EXPECT_EQ(again.summary->files_restored, 2U);
  EXPECT_EQ(again.summary->files_skipped, 1U);
  expect_whole();
}

TEST_F(RestoreOver, ReplacesEverythingWhenAlwaysAndNothingWhenNever) {
  ASSERT_TRUE(run().summary);
  EXPECT_EQ(run(Overwrite::kAlways).summary->files_restored, 3U);
  write_file(target_ / "f/a", "mine");
  fs::remove(target_ / "f/b");
  ASSERT_EQ(::chmod((target_ / "f").c_str(), 0711), 0);
  const Restored never = run(Overwrite::kNever);
  EXPECT_EQ(never.summary->files_restored, 1U);
  EXPECT_EQ(never.summary->files_skipped, 2U);
  EXPECT_EQ(read_file(target_ / "f/a"), "mine");
  EXPECT_EQ(read_file(target_ / "f/b"), "bbb");
  EXPECT_EQ(static_cast<unsigned>(fs::status(target_ / "f").permissions()), 0711U);
}

TEST_F(RestoreOver, NeverWritesThroughALinkInPlaceOfAFolder) {
  const TemporaryFolder elsewhere;
  fs::create_directory_symlink(elsewhere.path(), target_ / "f");
  const Restored never = run(Overwrite::kNever);
  EXPECT_EQ(never.problems.at("/f").code(), ErrorCode::kExists);
  EXPECT_TRUE(fs::is_symlink(target_ / "f"));
  EXPECT_TRUE(fs::is_empty(elsewhere.path()));
  const Restored changed = run();
  EXPECT_TRUE(changed.problems.empty());
  EXPECT_TRUE(fs::is_empty(elsewhere.path()));
  EXPECT_FALSE(fs::is_symlink(target_ / "f"));
  expect_whole();
}

TEST_F(RestoreOver, NeverWritesThroughALinkInPlaceOfAFileOrATemporary) {
  const TemporaryFolder elsewhere;
  write_file(elsewhere / "victim", "untouched");
  fs::create_directory(target_ / "f");
  fs::create_symlink(elsewhere / "victim", target_ / "f/a");
  fs::create_symlink(elsewhere / "victim", target_ / ("f/" + TargetTree::temporary_for("b")));
  fs::create_symlink(elsewhere / "victim", target_ / TargetTree::temporary_for("big"));
  EXPECT_TRUE(run().problems.empty());
  expect_whole();
  EXPECT_EQ(read_file(elsewhere / "victim"), "untouched");
}

TEST_F(RestoreOver, DoesNotTakeUpATemporaryThatSomebodyElseHoldsByAnotherName) {
  write_file(target_ / TargetTree::temporary_for("big"), std::string(numbered_text().size(), 'x'));
  ASSERT_EQ(::chmod((target_ / TargetTree::temporary_for("big")).c_str(), 0600), 0);
  fs::create_hard_link(target_ / TargetTree::temporary_for("big"), target_ / "held");
  EXPECT_TRUE(run().problems.empty());
  expect_whole();
  EXPECT_EQ(read_file(target_ / "held"), std::string(numbered_text().size(), 'x'));
}

TEST_F(RestoreOver, RemovesNoFolderWithSomethingInItForAFile) {
  fs::create_directories(target_ / "big/full");
  fs::create_directories(target_ / "link");
  const Restored restored = run();
  EXPECT_EQ(restored.problems.at("/big").code(), ErrorCode::kExists);
  EXPECT_EQ(restored.summary->files_failed, 1U);
  EXPECT_TRUE(fs::is_directory(target_ / "big/full"));
  EXPECT_TRUE(fs::is_symlink(target_ / "link"));
  std::size_t names = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(target_.path())) ++names;
  EXPECT_EQ(names, 3U);  // no temporaries
}

TEST_F(RestoreOver, GoesOnInTheMiddleOfALargeFile) {
  const std::string text = numbered_text();
  std::string partial = text;
  partial.replace(3 * kChunk, 2 * kChunk, std::string(2 * kChunk, '\0'));  // two chunks did not get there
  partial[7 * kChunk + 5] ^= 1;                                            // and one is wrong
  write_file(target_ / TargetTree::temporary_for("big"), partial);
  ASSERT_EQ(::chmod((target_ / TargetTree::temporary_for("big")).c_str(), 0600), 0);
  const Restored restored = run(Overwrite::kChanged, true);
  EXPECT_TRUE(restored.problems.empty());
  EXPECT_EQ(restored.summary->bytes_written, 6 + 3 * kChunk);
  expect_whole();
}

TEST_F(RestoreOver, FinishesALargeFileThatLacksNothingButItsName) {
  write_file(target_ / TargetTree::temporary_for("big"), numbered_text());
  ASSERT_EQ(::chmod((target_ / TargetTree::temporary_for("big")).c_str(), 0600), 0);
  EXPECT_EQ(run().summary->bytes_written, 6U);
  expect_whole();
}

TEST_F(RestoreOver, RefusesToShareATargetWithAnotherRestore) {
  const base::UniqueFd other(::open(target_.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(::flock(other.get(), LOCK_EX), 0);
  const Restored restored = run();
  ASSERT_FALSE(restored.summary.has_value());
  EXPECT_EQ(restored.summary.error().code(), ErrorCode::kConflict);
}

TEST_F(RestoreOver, VerifiesWhatItSkipped) {
  ASSERT_TRUE(run().summary);
  struct stat status{};
  ASSERT_EQ(::stat((target_ / "big").c_str(), &status), 0);
  std::string wrong = numbered_text();
  wrong[12345] ^= 1;
  write_file(target_ / "big", wrong);
  const struct timespec times[2] = {status.st_atim, status.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, (target_ / "big").c_str(), times, 0), 0);
  EXPECT_TRUE(run().problems.empty());  // same size and time
  const Restored verified = run(Overwrite::kChanged, true);
  EXPECT_EQ(verified.problems.at("/big").code(), ErrorCode::kDamaged);
  EXPECT_EQ(verified.summary->files_failed, 1U);
  EXPECT_TRUE(run(Overwrite::kAlways, true).problems.empty());
}

TEST(RestoreOnAFullDisk, CountsRefusalsWhateverStillFitsInBetween) {
  base::Progress progress;
  std::vector<std::string> told;
  const RestoreProblem on_problem = [&](const std::string& path, const base::Error&) { told.push_back(path); };
  RestoreReport report(progress, on_problem, {});
  const base::Error full(ErrorCode::kNoSpace, "cannot write /t/x: No space left on device");
  for (unsigned number = 1; number < kMostRefusals; ++number) {
    report.failed("/" + std::to_string(number), full);
    report.restored(10);  // what a refused file gives back is room for a smaller one
  }
  EXPECT_FALSE(report.stopped());
  report.failed("/last", full);
  EXPECT_TRUE(report.stopped());
  EXPECT_EQ(report.status().error().code(), ErrorCode::kNoSpace);
  // Those that were under way: the end of the restore is told once, and not once a file. Other trouble still is.
  report.failed("/under way", full);
  report.failed("/damaged", base::Error(ErrorCode::kDamaged, "pack"));
  EXPECT_EQ(told.size(), kMostRefusals + 1);
  EXPECT_EQ(told.back(), "/damaged");
  EXPECT_EQ(report.files_failed, kMostRefusals + 2);
}

TEST(RestoreOnAFullDisk, AFileThatIsTooLargeForTheFileSystemIsNoFullDisk) {
  RepositoryBuilder builder;
  std::vector<Entry> files;
  for (unsigned number = 0; number < kMostRefusals + 1; ++number) {
    files.push_back(builder.file("large" + std::to_string(number), numbered_text(), kChunk));
  }
  std::ranges::sort(files, {}, &Entry::name);
  files.push_back(builder.file("small", "fits"));
  const StoredSnapshot snapshot = builder.commit(files);
  const TemporaryFolder target;
  const FileSizeLimit limit(numbered_text().size() - 1);
  const Restored restored = restore(builder.repository(), snapshot, {.target = target / "t"});
  ASSERT_TRUE(restored.summary.has_value()) << restored.summary.error().text();
  EXPECT_EQ(restored.problems.size(), kMostRefusals + 1);
  EXPECT_EQ(read_file(target / "t/small"), "fits");
}

TEST(RestoreOnAFullDisk, EndsEarlyAndSaysSo) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root to mount a small file system";
  const TemporaryFolder target;
  if (std::system(("mount -t tmpfs -o size=200k tmpfs " + target.path()).c_str()) != 0) GTEST_SKIP() << "cannot mount";
  RepositoryBuilder builder;
  std::vector<Entry> files;
  for (int number = 0; number < 200; ++number) {
    const std::string name = std::to_string(number);
    files.push_back(builder.file(name, numbered_text(name), kChunk));
  }
  const Restored restored = restore(builder.repository(), builder.commit(files), {.target = target / "t"});
  EXPECT_FALSE(restored.summary.has_value());
  if (!restored.summary) {
    EXPECT_EQ(restored.summary.error().code(), ErrorCode::kNoSpace) << restored.summary.error().text();
  }
  EXPECT_EQ(restored.problems.size(), kMostRefusals);  // however many were under way
  std::size_t whole = 0;
  for (const auto& entry : fs::directory_iterator(target / "t")) {
    if (entry.path().filename().string().starts_with(".kura-restore-")) continue;  // for the next run
    EXPECT_EQ(read_file(entry.path()), numbered_text(entry.path().filename().string()));
    ++whole;
  }
  EXPECT_GT(whole, 0U);
  EXPECT_EQ(std::system(("umount " + target.path()).c_str()), 0);
}

}  // namespace
}  // namespace kura::archive::test
