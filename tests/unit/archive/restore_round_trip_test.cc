// What was backed up is what is restored: random trees through the real backup.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "archive/backup/backup.h"
#include "archive/restore/diff.h"
#include "base/unique_fd.h"
#include "store/store.h"
#include "support/archive/restored.h"
#include "support/temporary_folder.h"

namespace kura::archive::test {
namespace {

using kura::test::TemporaryFolder;
namespace fs = std::filesystem;

class RealRepository {
 public:
  RealRepository()
      : repository_(Repository::create(std::shared_ptr<store::Store>(store::create_store(folder_ / "r").value()),
                                       {.state_folder = folder_ / "s", .machine_label = "m", .passphrase = {}})
                        .value()) {}
  StoredSnapshot backup(const std::string& path) {
    base::Progress progress;
    BackupOptions options;
    options.paths = {path};
    options.host = "host";
    options.user = "user";
    const auto summary = run_backup(
        repository_, options, progress,
        [](const std::string& at, const base::Error& error) { ADD_FAILURE() << at << ": " << error.text(); }, {});
    EXPECT_TRUE(summary.has_value()) << summary.error().text();
    return repository_.snapshot(summary->snapshot_id).value();
  }
  const Repository& get() const { return repository_; }

 private:
  const TemporaryFolder folder_;
  Repository repository_;
};

RestoreOptions into(std::string target, std::string path) {
  RestoreOptions options;
  options.target = std::move(target);
  options.path = std::move(path);
  options.verify = true;
  return options;
}

void set_random_time(const std::string& path) {
  const auto seconds = *rc::gen::inRange<std::int64_t>(-1'000'000'000, 4'000'000'000);
  const struct timespec times[2] = {{0, UTIME_OMIT}, {seconds, *rc::gen::inRange(0L, 999'999'999L)}};
  RC_ASSERT(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0);
}

std::string noise(std::size_t size, std::uint32_t seed) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>((seed = seed * 1664525 + 1013904223) >> 24);
  return bytes;
}

std::string random_bytes() {
  const auto size =
      *rc::gen::weightedElement<std::size_t>({{3, 0}, {10, 20}, {5, 5'000}, {2, 300'000}, {1, 3'000'000}});
  return noise(size, *rc::gen::arbitrary<std::uint32_t>());
}

void make_file(const std::string& path) {
  write_file(path, random_bytes());
  if (*rc::gen::weightedElement<bool>({{1, true}, {6, false}})) {  // a hole, and something behind it
    const base::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    RC_ASSERT(::pwrite(fd.get(), "end", 3, 5'000'000) == 3);
  }
  if (*rc::gen::weightedElement<bool>({{1, true}, {4, false}})) {
    RC_ASSERT(::setxattr(path.c_str(), "user.note", "a\0b", 3, 0) == 0);
  }
  const auto mode = *rc::gen::element<mode_t>(0644, 0600, 0755, 04755, 02711, 01600, 0400);
  RC_ASSERT(::chmod(path.c_str(), mode) == 0);
}

void make_tree(const std::string& folder, int depth, std::vector<std::string>& files) {
  const auto count = *rc::gen::inRange(0, 6);
  for (int number = 0; number < count; ++number) {
    const std::string path = folder + "/" +
                             *rc::gen::element<std::string>("a", "\xff\xfe", "with space", "日本語", ".x") +
                             std::to_string(number);
    switch (*rc::gen::inRange(0, 6)) {
      case 0:
        if (depth == 0) break;
        fs::create_directory(path);
        make_tree(path, depth - 1, files);
        RC_ASSERT(::chmod(path.c_str(), *rc::gen::element<mode_t>(0755, 0700, 02750, 0500)) == 0);
        break;
      case 1:
        fs::create_symlink(*rc::gen::element<std::string>("nowhere", "/", "\xff"), path);
        break;
      case 2:
        RC_ASSERT(::mkfifo(path.c_str(), 0640) == 0);
        break;
      case 3:
        if (files.empty()) break;
        fs::create_hard_link(*rc::gen::elementOf(files), path);
        break;
      default:
        make_file(path);
        files.push_back(path);
        break;
    }
  }
  for (const auto& entry : fs::directory_iterator(folder)) set_random_time(entry.path());
}

// A round trip takes a good part of a second with sanitizers: fewer trees than RapidCheck's hundred.
constexpr int kTrees = 25;

void give_back_a_tree() {
  const TemporaryFolder folder;
  fs::create_directory(folder / "source");
  std::vector<std::string> files;
  make_tree(folder / "source", 3, files);
  RealRepository repository;
  const StoredSnapshot snapshot = repository.backup(folder / "source");
  const Restored restored = restore(repository.get(), snapshot, into(folder / "target", folder / "source"));
  RC_ASSERT(restored.summary.has_value());
  for (const auto& [path, error] : restored.problems) RC_FAIL(path + ": " + error.text());
  RC_ASSERT(describe_tree(folder / "target") == describe_tree(folder / "source"));

  // Once more over it: nothing to do, and nothing changed.
  const Restored again = restore(repository.get(), snapshot, into(folder / "target", folder / "source"));
  RC_ASSERT(again.summary->bytes_written == 0U);
  RC_ASSERT(describe_tree(folder / "target") == describe_tree(folder / "source"));

  // A backup of what was restored has the same contents.
  const StoredSnapshot second = repository.backup(folder / "target");
  std::vector<DamagedObject> damaged;
  const ChunkIndex index_a = load_index(repository.get(), snapshot, damaged).value();
  const ChunkIndex index_b = load_index(repository.get(), second, damaged).value();
  PackReader a(repository.get(), index_a);
  PackReader b(repository.get(), index_b);
  const Entry before = find_entry(a, snapshot.snapshot.label->root, folder / "source").value();
  const Entry after = find_entry(b, second.snapshot.label->root, folder / "target").value();
  const base::Status same = diff_trees(a, before.content, b, after.content, "/", [](const Difference& difference) {
    return base::fail(base::ErrorCode::kDamaged, std::string(name_of(difference.change)) + " " + difference.path);
  });
  if (!same) RC_FAIL(same.error().text());
}

TEST(RoundTrip, GivesBackEveryTreeAsItWas) {
  rc::detail::TestParams params = rc::detail::configuration().testParams;
  params.maxSuccess = std::min(params.maxSuccess, kTrees);
  const rc::detail::TestResult result =
      rc::detail::checkTestable(&give_back_a_tree, rc::detail::TestMetadata{}, params);
  std::ostringstream told;
  rc::detail::printResultMessage(result, told);
  EXPECT_TRUE(result.is<rc::detail::SuccessResult>()) << told.str();
}

TEST(RoundTrip, GivesBackAManyChunkFileWrittenByManyThreads) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "source");
  const std::string big = noise(16 << 20, 7);
  write_file(folder / "source/big", big);
  write_file(folder / "source/text", std::string(9 << 20, 't'));
  RealRepository repository;
  const StoredSnapshot snapshot = repository.backup(folder / "source");
  RestoreOptions options = into(folder / "target", folder / "source");
  options.threads = 4;
  const Restored restored = restore(repository.get(), snapshot, options);
  ASSERT_TRUE(restored.summary.has_value());
  EXPECT_TRUE(restored.problems.empty());
  EXPECT_EQ(restored.summary->bytes_verified, 25U << 20);
  EXPECT_EQ(read_file(folder / "target/big"), big);
}

TEST(RoundTrip, GivesBackAccessControlListsAndCapabilities) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const TemporaryFolder folder;
  fs::create_directory(folder / "source");
  write_file(folder / "source/acl", "x");
  write_file(folder / "source/cap", "x");
  ASSERT_EQ(::chown((folder / "source/cap").c_str(), 12345, 54321), 0);
  const std::string commands =
      "cd " + folder.path() +
      "/source && setfacl -m u:7:rwx acl && setfacl -d -m g:9:rx . && setcap cap_net_raw+ep cap";
  ASSERT_EQ(std::system(commands.c_str()), 0);
  RealRepository repository;
  const StoredSnapshot snapshot = repository.backup(folder / "source");
  ASSERT_TRUE(restore(repository.get(), snapshot, into(folder / "all", "/")).problems.empty());
  const auto source = describe_tree(folder / "source");
  EXPECT_EQ(describe_tree((folder / "all") + (folder / "source")), source);
  EXPECT_TRUE(source.at("cap").contains("security.capability")) << source.at("cap");

  // Into a folder that would give its own list to everything: what had none has none.
  fs::create_directory(folder / "giving");
  ASSERT_EQ(std::system(("setfacl -d -m u:8:rwx " + (folder / "giving")).c_str()), 0);
  ASSERT_TRUE(restore(repository.get(), snapshot, into(folder / "giving", folder / "source")).problems.empty());
  EXPECT_EQ(describe_tree(folder / "giving"), source);
}

TEST(RoundTrip, StopsInTheMiddleAndGoesOnLater) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "source");
  const std::string big = noise(24 << 20, 9);
  write_file(folder / "source/big", big);
  RealRepository repository;
  const StoredSnapshot snapshot = repository.backup(folder / "source");
  std::stop_source stop;
  const std::jthread stopper([&](const std::stop_token& ended) {
    const std::string target = folder / "target";
    while (!ended.stop_requested() && (!fs::exists(target) || fs::is_empty(target))) std::this_thread::yield();
    stop.request_stop();
  });
  RestoreOptions options = into(folder / "target", folder / "source");
  options.verify = false;
  const Restored stopped = restore(repository.get(), snapshot, options, stop.get_token());
  if (!stopped.summary) {
    EXPECT_EQ(stopped.summary.error().code(), base::ErrorCode::kInterrupted);
    EXPECT_FALSE(fs::exists(folder / "target/big"));
  }
  options.verify = true;
  ASSERT_TRUE(restore(repository.get(), snapshot, options).problems.empty());
  EXPECT_EQ(read_file(folder / "target/big"), big);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "target"), {}), 1);
}

}  // namespace
}  // namespace kura::archive::test
