// What a restore keeps at a time: folders until they are complete, files batch by batch.
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <latch>
#include <thread>

#include <gtest/gtest.h>

#include "archive/restore/chunk_flow.h"
#include "support/archive/repository_builder.h"
#include "support/archive/restored.h"
#include "support/store/faulty_store.h"
#include "support/temporary_folder.h"

namespace kura::archive::test {
namespace {

using kura::test::TemporaryFolder;

constexpr std::int64_t kTime = 1'500'000'000;

class RestoreMemory : public ::testing::Test {
 protected:
  FolderRef make(const FolderRef& parent, const std::string& name) {
    FolderRef folder = tree_->make_folder(parent, name, true).value();
    folder->metadata =
        Metadata{.mode = 0750, .uid = ::geteuid(), .gid = ::getegid(), .mtime_seconds = kTime, .xattrs = {}};
    return folder;
  }
  // Whether its metadata are there.
  bool is_complete(const std::string& path) {
    struct stat status{};
    EXPECT_EQ(::stat((folder_ / ("target/" + path)).c_str(), &status), 0) << path;
    EXPECT_EQ(status.st_mode & 07777U, status.st_mtim.tv_sec == kTime ? 0750U : 0700U) << path;
    return status.st_mtim.tv_sec == kTime;
  }

  const TemporaryFolder folder_;
  base::Progress progress_;
  std::vector<std::string> problems_;
  const RestoreProblem on_problem_ = [this](const std::string& path, const base::Error&) { problems_.push_back(path); };
  std::stop_source stop_;
  const MetadataWriter metadata_{true};
  RestoreReport report_{progress_, on_problem_, stop_.get_token()};
  const std::unique_ptr<TargetTree> tree_ =
      TargetTree::open(folder_ / "target", "/", false, metadata_, report_).value();
};

TEST_F(RestoreMemory, CompletesFoldersWhenNothingMoreGoesIntoThemDeepestFirst) {
  FolderRef a = make(tree_->root(), "a");
  FolderRef b = make(a, "b");
  FolderRef of_a_file = b;
  a = {};
  b = {};
  EXPECT_FALSE(is_complete("a"));
  EXPECT_FALSE(is_complete("a/b"));
  {
    const FolderRef c = make(of_a_file, "c");
    EXPECT_FALSE(is_complete("a/b/c"));
  }
  EXPECT_TRUE(is_complete("a/b/c"));
  EXPECT_FALSE(is_complete("a/b"));
  of_a_file = {};
  EXPECT_TRUE(is_complete("a/b"));
  EXPECT_TRUE(is_complete("a"));
  EXPECT_TRUE(problems_.empty());
}

TEST_F(RestoreMemory, CompletesManyMoreNestedFoldersThanAreKeptOpen) {
  FolderRef folder = tree_->root();
  constexpr int kDepth = 1000;
  for (int depth = 0; depth < kDepth; ++depth) folder = make(folder, "d");
  folder = {};
  EXPECT_TRUE(is_complete("d"));
  EXPECT_TRUE(problems_.empty());
  EXPECT_EQ(std::system(("rm -rf '" + (folder_ / "target") + "'").c_str()), 0);  // std::filesystem cannot
}

TEST_F(RestoreMemory, LeavesFoldersWithoutTheirTimesWhenItIsInterrupted) {
  make(tree_->root(), "done");
  {
    const FolderRef half = make(tree_->root(), "half");
    stop_.request_stop();
  }
  EXPECT_TRUE(is_complete("done"));
  EXPECT_FALSE(is_complete("half"));
}

TEST_F(RestoreMemory, HoldsAtMostTwoBatchesOfFiles) {
  RepositoryBuilder builder;
  std::vector<Entry> files;
  for (int number = 0; number < 6; ++number) {
    const std::string name = std::to_string(number);
    files.push_back(builder.file(name, "contents of " + name));
  }
  const StoredSnapshot snapshot = builder.commit(files);
  const auto store = std::make_shared<store::FaultyStore>(builder.store());
  Repository repository = Repository::open(store, builder.state_folder()).value();
  ASSERT_TRUE(repository.unlock(builder.repository().recovery_secrets()->recovery));
  std::vector<DamagedObject> damaged;
  const ChunkIndex index = load_index(repository, snapshot, damaged).value();
  std::latch gate(1);  // nobody reads a pack before
  store->fail([&](store::FaultyStore::Call call, store::Kind kind, const store::ObjectId&) {
    if (call == store::FaultyStore::Call::kReadAt && kind == store::Kind::kPack) gate.wait();
    return false;
  });

  PackReader reader(repository, index);
  FileWriter writer(*tree_, metadata_, report_);
  ChunkFlow flow(reader, writer, report_, 2);
  std::atomic<int> submitted{0};
  std::jthread planner([&] {
    for (const Entry& file : files) {
      const auto job = std::make_shared<FileJob>();
      job->folder = tree_->root();
      job->name = file.name;
      job->metadata = metadata_.of(file);
      job->contents = FileContents::of(reader, file).value();
      flow.submit({.jobs = {job}, .wanted = {{.place = *index.find(job->contents.ids[0]), .job = job.get()}}});
      ++submitted;
      submitted.notify_one();
    }
  });
  submitted.wait(0);
  submitted.wait(1);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // in which more would come
  EXPECT_EQ(submitted, 2);
  gate.count_down();
  planner.join();
  flow.finish();
  EXPECT_EQ(report_.files_restored, 6U);
  EXPECT_EQ(read_file(folder_ / "target/5"), "contents of 5");
}

}  // namespace
}  // namespace kura::archive::test
