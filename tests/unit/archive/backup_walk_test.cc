#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "archive/backup/walk.h"
#include "archive/backup/walk_order.h"
#include "support/temporary_folder.h"

namespace kura::archive {
namespace {

namespace fs = std::filesystem;

// Writes down what it is shown: "+folder", "-", "entry".
class Recorder : public WalkVisitor {
 public:
  base::Status enter(const WalkEntry& folder) override {
    longest = std::max(longest, folder.path.size());
    return add("+" + folder.path);
  }
  base::Status leave() override { return add("-"); }
  base::Status entry(const WalkEntry& entry) override { return add(entry.path); }
  void problem(const std::string& path, base::Error error) override { problems.push_back(path + ": " + error.text()); }

  // Without what lies on the way to `folder`, and relative to it.
  std::vector<std::string> below(const std::string& folder) const {
    std::vector<std::string> out;
    for (const std::string& event : events) {
      const std::size_t at = event.find(folder + "/");
      if (at != std::string::npos) out.push_back(event.substr(0, at) + event.substr(at + folder.size() + 1));
    }
    return out;
  }

  std::vector<std::string> events, problems;
  std::size_t longest = 0;

 private:
  base::Status add(std::string event) {
    events.push_back(std::move(event));
    return {};
  }
};

class WalkTest : public ::testing::Test {
 protected:
  void file(const std::string& name) {
    fs::create_directories((fs::path(root_) / name).parent_path());
    std::ofstream(root_ + "/" + name) << name;
  }
  Recorder walked(const std::vector<std::string>& paths, const WalkOptions& options = {}) {
    Recorder recorder;
    const auto plan = plan_walk(paths);
    EXPECT_TRUE(plan.has_value());
    const auto done = walk(*plan, options, recorder, {});
    EXPECT_TRUE(done.has_value()) << done.error().text();
    return recorder;
  }

  kura::test::TemporaryFolder folder_;
  const std::string root_ = fs::canonical(folder_.path()).string();
};
using Strings = std::vector<std::string>;

TEST_F(WalkTest, NamesRiseByTheirBytesAndFoldersComeBeforeWhatIsInThem) {
  for (const char* name : {"b", "a.txt", "a/z", "a/b/c", "a-", "\xff", "\x01"}) file(name);
  EXPECT_EQ(walked({root_}).below(root_), (Strings{"\x01", "+a", "+a/b", "a/b/c", "a/z", "a-", "a.txt", "b", "\xff"}));
}

TEST_F(WalkTest, EveryFolderThatIsEnteredIsLeft) {
  for (const char* name : {"a/b/c/d", "a/e/f", "g"}) file(name);
  const Recorder seen = walked({root_});
  const auto entered = std::ranges::count_if(seen.events, [](const std::string& event) { return event[0] == '+'; });
  EXPECT_EQ(entered, std::ranges::count(seen.events, "-"));
  EXPECT_EQ(seen.events.front(), "+/");
}

TEST_F(WalkTest, PathsComeInWalkOrder) {
  for (const char* name : {"a/x", "a.b", "a b", "a/b/c", "aa", "a/b.c", "\x01q"}) file(name);
  Strings paths = walked({root_}).below(root_);
  std::erase_if(paths, [](const std::string& path) { return path[0] == '+'; });
  EXPECT_TRUE(
      std::ranges::is_sorted(paths, [](const auto& a, const auto& b) { return compare_in_walk_order(a, b) < 0; }));
}

TEST_F(WalkTest, OnTheWayOnlyTheMembersOnTheWayAreShown) {
  for (const char* name : {"a/x/in", "a/y/out", "b/in", "c"}) file(name);
  EXPECT_EQ(walked({root_ + "/b", root_ + "/a/x"}).below(root_), (Strings{"+a", "+a/x", "a/x/in", "+b", "b/in"}));
}

TEST_F(WalkTest, OverlappingPathsAreMerged) {
  for (const char* name : {"a/x/1", "a/y"}) file(name);
  const auto plan = plan_walk({root_ + "/a/x", root_ + "/a", root_ + "/a/x/1"});
  EXPECT_EQ(plan->paths, (Strings{root_ + "/a"}));
  EXPECT_EQ(walked({root_ + "/a/x", root_ + "/a"}).below(root_), (Strings{"+a", "+a/x", "a/x/1", "a/y"}));
}

TEST_F(WalkTest, ALinkAsTheLastPartIsNotFollowed) {
  file("target/in");
  fs::create_symlink("target", root_ + "/link");
  EXPECT_EQ(walked({root_ + "/link"}).below(root_), (Strings{"link"}));
  EXPECT_EQ(plan_walk({root_ + "/link/in"})->paths, (Strings{root_ + "/target/in"}));
}

TEST_F(WalkTest, APathThatDoesNotExistIsAnError) {
  const auto plan = plan_walk({root_ + "/nothing"});
  ASSERT_FALSE(plan.has_value());
  EXPECT_EQ(plan.error().code(), base::ErrorCode::kUsage);
}

TEST_F(WalkTest, ExcludedFoldersAreNotEntered) {
  for (const char* name : {"keep", "skip/a", "skip.not"}) file(name);
  WalkOptions options;
  options.excluded = [&](const std::string& path, bool is_folder) { return is_folder && path == root_ + "/skip"; };
  EXPECT_EQ(walked({root_}, options).below(root_), (Strings{"keep", "skip.not"}));
}

TEST_F(WalkTest, SkippedFoldersAreNotShown) {
  for (const char* name : {"keep", "own/a"}) file(name);
  struct stat status{};
  ASSERT_EQ(::stat((root_ + "/own").c_str(), &status), 0);
  EXPECT_EQ(walked({root_}, {.excluded = {}, .skipped_folders = {{status.st_dev, status.st_ino}}}).below(root_),
            (Strings{"keep"}));
}

TEST_F(WalkTest, TreesDeeperThanAPathMayBeLongAreWalked) {
  const std::string name(200, 'd');
  constexpr int kDepth = 100;  // 20,000 bytes
  base::UniqueFd folder(::open(root_.c_str(), O_RDONLY | O_DIRECTORY));
  for (int i = 0; i < kDepth; ++i) {
    ASSERT_TRUE(folder);
    ASSERT_EQ(::mkdirat(folder.get(), name.c_str(), 0700), 0);
    const base::UniqueFd after(::openat(folder.get(), "later", O_CREAT | O_WRONLY, 0600));
    folder.reset(::openat(folder.get(), name.c_str(), O_RDONLY | O_DIRECTORY));
    ASSERT_TRUE(folder);
  }
  const Recorder seen = walked({root_});
  EXPECT_TRUE(seen.problems.empty()) << seen.problems.front();
  EXPECT_GT(seen.longest, 20'000U);
  EXPECT_EQ(std::ranges::count_if(seen.events, [](const auto& event) { return event.ends_with("later"); }), kDepth);
}

TEST_F(WalkTest, AFolderThatCannotBeReadIsNamedAndStandsEmpty) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  file("closed/in");
  fs::permissions(root_ + "/closed", fs::perms::none);
  const Recorder seen = walked({root_});
  EXPECT_EQ(seen.below(root_), (Strings{"+closed"}));
  ASSERT_EQ(seen.problems.size(), 1U);
  EXPECT_TRUE(seen.problems[0].starts_with(root_ + "/closed: "));
}

TEST_F(WalkTest, AStopEndsTheWalk) {
  file("a");
  std::stop_source stop;
  stop.request_stop();
  Recorder recorder;
  const auto done = walk(*plan_walk({root_}), {}, recorder, stop.get_token());
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code(), base::ErrorCode::kInterrupted);
}

}  // namespace
}  // namespace kura::archive
