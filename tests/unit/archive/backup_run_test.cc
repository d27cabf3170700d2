// Whole backups into a folder store, read back with the recovery key.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "archive/backup/write_session.h"
#include "archive/backup/xattrs.h"
#include "archive/repo/lease.h"
#include "support/archive/backup_bench.h"

namespace kura::archive {
namespace {

namespace fs = std::filesystem;
using test::random_text;

class BackupRun : public test::BackupBench {
 protected:
  std::size_t count(store::Kind kind) const { return repository_->store().list(kind).value().size(); }
  std::string cache_file() const {
    for (const auto& entry : fs::directory_iterator(repository_->machine_state()->folder())) {
      if (entry.path().extension() == ".files") return entry.path();
    }
    return {};
  }
};

TEST_F(BackupRun, EveryFileComesBackBitForBit) {
  std::map<std::string, std::string> files;
  for (unsigned i = 0; i < 300; ++i) {
    files["small/" + std::to_string(i)] = random_text(i * 37 % 5000, i);
  }
  files["large"] = random_text(9'000'000, 1);
  files["zeros"] = std::string(3'000'000, '\0');
  files["empty"] = "";
  files["name with \xff\n bytes"] = "x";
  for (const auto& [name, text] : files) write(name, text);
  const BackupSummary summary = backup();
  EXPECT_EQ(summary.files_total, files.size());
  EXPECT_EQ(summary.files_new, files.size());
  EXPECT_EQ(summary.files_failed, 0U);
  const Stored found = stored(summary.snapshot_id);
  for (const auto& [name, text] : files) EXPECT_TRUE(found.contents.at(source(name)) == text) << name;
  EXPECT_EQ(found.contents.size(), files.size());
  EXPECT_EQ(found.snapshot.number, 1U);
  EXPECT_EQ(found.snapshot.label->counts.files, files.size());
  EXPECT_EQ(found.snapshot.label->paths, std::vector<std::string>{source_});
}

TEST_F(BackupRun, UnchangedFilesAreNotReadAgain) {
  for (unsigned i = 0; i < 50; ++i) write(std::to_string(i), random_text(3000, i));
  settle();
  backup();
  write("7", "changed");
  write("new", "new");
  const BackupSummary summary = backup();
  EXPECT_EQ(summary.files_unmodified, 49U);
  EXPECT_EQ(summary.files_changed, 1U);
  EXPECT_EQ(summary.files_new, 1U);
  EXPECT_EQ(summary.bytes_read, 10U);
  const Stored found = stored(summary.snapshot_id);
  EXPECT_EQ(found.contents.at(source("7")), "changed");
  EXPECT_EQ(found.contents.at(source("8")), random_text(3000, 8));
  EXPECT_EQ(found.snapshot.number, 2U);
}

TEST_F(BackupRun, AFileChangedWithItsTimesSetBackIsReadAgain) {
  write("file", "old bytes");
  settle();
  backup();
  struct stat status{};
  ASSERT_EQ(::stat(source("file").c_str(), &status), 0);
  write("file", "new bytes");  // the same size
  const timespec times[] = {status.st_atim, status.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, source("file").c_str(), times, 0), 0);
  EXPECT_EQ(stored(backup().snapshot_id).contents.at(source("file")), "new bytes");
}

TEST_F(BackupRun, AFileWhoseTimeIsNotYetPastIsNotTrusted) {
  write("file", "1");
  // An hour ahead, as after a clock was set back; what "just before" means to the millisecond is FileStamp's test.
  fs::last_write_time(source("file"), fs::file_time_type::clock::now() + std::chrono::hours(1));
  backup();
  EXPECT_EQ(backup().bytes_read, 1U);
}

TEST_F(BackupRun, ADamagedOrLostCacheCostsTimeOnly) {
  for (unsigned i = 0; i < 50; ++i) write(std::to_string(i), random_text(3000, i));
  settle();
  backup();
  const std::string path = cache_file();
  ASSERT_FALSE(path.empty());
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(200).write("damage", 6);
  const BackupSummary damaged = backup();
  EXPECT_EQ(damaged.bytes_read, 50U * 3000);
  // The listings on the way may be new, since others work in the folders above; the files are not.
  EXPECT_LT(damaged.bytes_stored_new, 20'000U);
  fs::remove(cache_file());
  const BackupSummary lost = backup();
  EXPECT_LT(lost.bytes_stored_new, 20'000U);
  EXPECT_EQ(stored(lost.snapshot_id).contents.size(), 50U);
}

TEST_F(BackupRun, ACachedFileWhosePackIsGoneIsStoredAgain) {
  write("file", random_text(100'000, 1));
  settle();
  backup();
  for (const auto& pack : repository_->store().list(store::Kind::kPack).value()) {
    ASSERT_TRUE(repository_->store().remove(store::Kind::kPack, pack.id).has_value());
  }
  const BackupSummary summary = backup();
  EXPECT_EQ(summary.bytes_read, 100'000U);
  EXPECT_EQ(stored(summary.snapshot_id).contents.at(source("file")), random_text(100'000, 1));
}

TEST_F(BackupRun, CondemnedPacksAreNotLeanedOn) {
  write("file", random_text(100'000, 1));
  settle();
  backup();
  CondemnedObject condemned;
  for (const auto& pack : repository_->store().list(store::Kind::kPack).value()) condemned.packs.push_back(pack.id);
  ASSERT_TRUE(repository_->put(store::Kind::kCondemned, condemned.encode()).has_value());
  const BackupSummary summary = backup();
  for (const store::ObjectId& id : condemned.packs) {
    ASSERT_TRUE(repository_->store().remove(store::Kind::kPack, id).has_value());
  }
  EXPECT_EQ(stored(summary.snapshot_id).contents.at(source("file")), random_text(100'000, 1));
}

TEST_F(BackupRun, WhatAnInterruptedBackupStoredIsUsed) {
  write("file", random_text(5'000'000, 1));
  const BackupSummary first = backup();
  // As if it had been killed before its index: packs alone are left.
  for (const auto kind : {store::Kind::kSnapshot, store::Kind::kIndex}) {
    for (const auto& object : repository_->store().list(kind).value()) {
      ASSERT_TRUE(repository_->store().remove(kind, object.id).has_value());
    }
  }
  const BackupSummary second = backup();
  EXPECT_LT(second.bytes_stored_new, first.bytes_stored_new / 100);
  EXPECT_EQ(stored(second.snapshot_id).contents.at(source("file")), random_text(5'000'000, 1));
}

TEST_F(BackupRun, WithoutItsLeaseABackupLooksAgainAtWhatItLeansOn) {
  write("file", random_text(100'000, 1));
  backup();
  store::Store& store = repository_->store();
  const auto session = WriteSession::open(*repository_, LeasePurpose::kBackup, true, {}).value();
  std::vector<store::ObjectId> packs;
  for (const auto& pack : store.list(store::Kind::kPack).value()) packs.push_back(pack.id);
  const auto lose_lease = [&] {
    for (const auto& lease : store.list(store::Kind::kLease).value()) {
      ASSERT_TRUE(store.remove(store::Kind::kLease, lease.id).has_value());
    }
  };
  lose_lease();
  EXPECT_TRUE(session->confirm(packs, {}).has_value());
  EXPECT_EQ(count(store::Kind::kLease), 1U);  // it has a new one
  lose_lease();
  ASSERT_TRUE(repository_->put(store::Kind::kCondemned, CondemnedObject{.packs = packs, .indexes = {}}.encode()));
  const auto refused = session->confirm(packs, {});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code(), base::ErrorCode::kConflict);
}

TEST_F(BackupRun, ManyBackupsNameFewIndexes) {
  BackupSummary summary;
  for (unsigned i = 0; i < 70; ++i) {
    write(std::to_string(i), random_text(100, i));
    summary = backup();
  }
  const Stored found = stored(summary.snapshot_id);
  EXPECT_LE(found.snapshot.needs.size(), 64U);
  EXPECT_EQ(found.contents.size(), 70U);
  EXPECT_EQ(found.snapshot.number, 70U);
}

TEST_F(BackupRun, MetadataIsKept) {
  write("file", "x");
  const std::string path = source("file");
  ASSERT_EQ(::chmod(path.c_str(), 04751), 0);
  const bool has_xattrs = ::setxattr(path.c_str(), "user.note", "value", 5, 0) == 0;
  fs::create_directory(source("folder"));
  ASSERT_EQ(::mkfifo(source("fifo").c_str(), 0600), 0);
  ASSERT_EQ(::symlink(std::string(300, 't').c_str(), source("link").c_str()), 0);
  const timespec before_1970[] = {{.tv_sec = -5, .tv_nsec = 7}, {.tv_sec = -5, .tv_nsec = 7}};
  ASSERT_EQ(::utimensat(AT_FDCWD, source("folder").c_str(), before_1970, 0), 0);
  const Stored found = stored(backup().snapshot_id);
  const Entry& file = found.entries.at(path);
  EXPECT_EQ(file.mode, 04751U);
  EXPECT_EQ(file.uid, ::geteuid());
  EXPECT_FALSE(file.user.empty());
  if (has_xattrs) EXPECT_EQ(file.xattrs, (Xattrs{{"user.note", "value"}}));
  EXPECT_EQ(found.entries.at(source("fifo")).type, EntryType::kFifo);
  EXPECT_EQ(found.entries.at(source("link")).target, std::string(300, 't'));
  EXPECT_EQ(found.entries.at(source("folder")).mtime_seconds, -5);
  EXPECT_EQ(found.entries.at(source("folder")).mtime_nanoseconds, 7U);
}

TEST_F(BackupRun, HardLinksShareOneContentThatIsReadOnce) {
  write("a", random_text(50'000, 1));
  for (const char* name : {"b", "c"}) fs::create_hard_link(source("a"), source(name));
  const BackupSummary summary = backup();
  EXPECT_EQ(summary.bytes_read, 50'000U);
  const Stored found = stored(summary.snapshot_id);
  for (const char* name : {"b", "c"}) {
    EXPECT_EQ(found.entries.at(source(name)).hard_link, found.entries.at(source("a")).hard_link);
    EXPECT_EQ(found.contents.at(source(name)), random_text(50'000, 1));
  }
  EXPECT_TRUE(found.entries.at(source("a")).hard_link.has_value());
}

TEST_F(BackupRun, HolesAreNotReadAndComeBack) {
  const std::string path = source("sparse");
  {
    const base::UniqueFd fd(::open(path.c_str(), O_CREAT | O_WRONLY, 0600));
    ASSERT_EQ(::pwrite(fd.get(), "data", 4, 10 << 20), 4);
    ASSERT_EQ(::ftruncate(fd.get(), 30 << 20), 0);
  }
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  if (status.st_blocks * 512 >= status.st_size) GTEST_SKIP() << "no holes on this file system";
  const BackupSummary summary = backup();
  EXPECT_LT(summary.bytes_read, 1U << 20);
  const Stored found = stored(summary.snapshot_id);
  EXPECT_EQ(found.entries.at(path).size, 30U << 20);
  std::string expected(30 << 20, '\0');
  expected.replace(10 << 20, 4, "data");
  EXPECT_TRUE(found.contents.at(path) == expected);
}

TEST_F(BackupRun, AFileThatGrowsWhileItIsReadIsReportedAndConsistent) {
  write("log", random_text(8'000'000, 1));
  std::jthread writer([&](std::stop_token stop) {
    std::ofstream log(source("log"), std::ios::binary | std::ios::app);
    while (!stop.stop_requested()) log << "line" << std::flush;
  });
  const BackupSummary summary = backup();
  writer.request_stop();
  writer.join();
  EXPECT_EQ(summary.files_failed, 1U);
  ASSERT_EQ(problems_.size(), 1U);
  EXPECT_EQ(problems_[0].path, source("log"));
  EXPECT_EQ(problems_[0].error.code(), base::ErrorCode::kConflict);
  const Stored found = stored(summary.snapshot_id);
  EXPECT_EQ(found.entries.at(source("log")).size, found.contents.at(source("log")).size());
  EXPECT_TRUE(found.contents.at(source("log")).starts_with(random_text(8'000'000, 1)));
}

TEST_F(BackupRun, AnUnreadableFileIsNamedAndTheOthersAreThere) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  write("closed", "x");
  write("open", "y");
  fs::permissions(source("closed"), fs::perms::none);
  const BackupSummary summary = backup();
  EXPECT_EQ(summary.files_failed, 1U);
  ASSERT_EQ(problems_.size(), 1U);
  EXPECT_EQ(problems_[0].path, source("closed"));
  const Stored found = stored(summary.snapshot_id);
  EXPECT_FALSE(found.contents.contains(source("closed")));
  EXPECT_EQ(found.contents.at(source("open")), "y");
}

TEST_F(BackupRun, ADryRunStoresNothing) {
  write("file", random_text(100'000, 1));
  BackupOptions options;
  options.dry_run = true;
  const BackupSummary summary = backup(options);
  EXPECT_EQ(summary.files_new, 1U);
  EXPECT_EQ(summary.bytes_read, 100'000U);
  EXPECT_TRUE(summary.snapshot_id.is_zero());
  for (const auto kind : {store::Kind::kPack, store::Kind::kIndex, store::Kind::kSnapshot, store::Kind::kLease}) {
    EXPECT_EQ(count(kind), 0U);
  }
  EXPECT_TRUE(cache_file().empty());
}

TEST_F(BackupRun, AStoppedBackupLeavesNoSnapshotAndNoLease) {
  for (unsigned i = 0; i < 20; ++i) write(std::to_string(i), random_text(1'500'000, i));
  std::stop_source stop;
  base::Result<BackupSummary> result;
  std::jthread backup([&] { result = try_backup({}, stop.get_token()); });
  while (progress_.bytes_done == 0) std::this_thread::yield();
  stop.request_stop();
  backup.join();
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code(), base::ErrorCode::kInterrupted);
  EXPECT_EQ(count(store::Kind::kSnapshot), 0U);
  EXPECT_EQ(count(store::Kind::kLease), 0U);
  EXPECT_EQ(this->backup().files_total, 20U);
}

TEST_F(BackupRun, TheRepositoryAndTheMachinesStateAreNotBackedUp) {
  write("file", "x");
  BackupOptions options;
  options.paths = {fs::canonical(folder_.path())};
  const Stored found = stored(backup(options).snapshot_id);
  EXPECT_TRUE(found.entries.contains(source("file")));
  for (const auto& [path, entry] : found.entries) {
    EXPECT_FALSE(path.contains("/repository") || path.contains("machine.key")) << path;
  }
}

TEST_F(BackupRun, ExcludedFilesAreLeftOut) {
  for (const char* name : {"a.tmp", "folder/b.tmp", "folder/keep"}) write(name, name);
  BackupOptions options;
  ASSERT_TRUE(options.excludes.add("*.tmp").has_value());
  const Stored found = stored(backup(options).snapshot_id);
  EXPECT_EQ(found.contents.size(), 1U);
  EXPECT_EQ(found.contents.at(source("folder/keep")), "folder/keep");
}

TEST_F(BackupRun, TwoBackupsAtOnceMakeOneChain) {
  for (unsigned i = 0; i < 100; ++i) write(std::to_string(i), random_text(5'000, i));
  std::vector<store::ObjectId> ids(4);
  {
    std::vector<std::jthread> backups;
    backups.reserve(ids.size());
    for (auto& id : ids) {
      backups.emplace_back([&] {
        base::Progress progress;
        BackupOptions options;
        options.paths = {source_};
        const auto summary = run_backup(*repository_, options, progress, {}, {});
        if (summary) id = summary->snapshot_id;
      });
    }
  }
  std::vector<std::uint64_t> numbers;
  for (const auto& id : ids) {
    ASSERT_FALSE(id.is_zero());
    const Stored found = stored(id);
    EXPECT_EQ(found.contents.size(), 100U);
    numbers.push_back(found.snapshot.number);
  }
  std::ranges::sort(numbers);
  EXPECT_EQ(numbers, (std::vector<std::uint64_t>{1, 2, 3, 4}));
}

TEST_F(BackupRun, APathThatDoesNotExistIsAnErrorOfUsage) {
  BackupOptions options;
  options.paths = {source("nothing")};
  const auto result = try_backup(options);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code(), base::ErrorCode::kUsage);
}

}  // namespace
}  // namespace kura::archive
