// A machine with a source folder, and its repository on a disk in memory: backups by the real engine.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "archive/backup/backup.h"
#include "archive/upkeep/check.h"
#include "archive/upkeep/gc.h"
#include "store/folder_store.h"
#include "support/archive/cheap_passphrase.h"
#include "support/store/crash_file_system.h"
#include "support/store/sample.h"
#include "support/temporary_folder.h"

namespace kura::archive::test {

inline constexpr std::int64_t kSecondNs = 1'000'000'000;
inline constexpr std::int64_t kHourNs = 3600 * kSecondNs;

inline std::shared_ptr<store::Store> store_on(store::CrashFileSystem& disk) {
  return std::shared_ptr<store::Store>(store::create_folder_store("/store", disk).value());
}

class BackupWorld {
 public:
  explicit BackupWorld(std::optional<std::string> passphrase = std::nullopt,
                       std::optional<ParityPolicy> parity = std::nullopt)
      : disk_(std::make_unique<store::CrashFileSystem>()) {
    std::filesystem::create_directories(source());
    repository_.emplace(Repository::create(store_on(*disk_), {.state_folder = state(),
                                                              .machine_label = "test",
                                                              .passphrase = std::move(passphrase),
                                                              .parity = parity,
                                                              .cost = kCheapPassphrase})
                            .value());
  }

  std::string source() const { return folder_ / "source"; }
  std::string state() const { return folder_ / "state"; }
  store::CrashFileSystem& disk() { return *disk_; }
  // A disk with the same on it, for a test to do its worst to.
  std::unique_ptr<store::CrashFileSystem> copy_of_disk() const {
    EXPECT_TRUE(store().sync().has_value());
    return disk_->crash(0);
  }
  const Repository& repository() const { return *repository_; }
  store::Store& store() const { return repository_->store(); }

  // A file that no other file shares a chunk with, but one of the same seed and size.
  void write(const std::string& name, std::uint64_t seed, std::size_t size = 200'000) {
    const auto path = std::filesystem::path(source()) / name;
    std::filesystem::create_directories(path.parent_path());
    const base::Bytes bytes = store::sample(seed, size).bytes;
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  }
  void erase(const std::string& name) { std::filesystem::remove_all(std::filesystem::path(source()) / name); }

  // `by` is the same repository through another store.
  base::Result<BackupSummary> backup(const Repository& by) const {
    base::Progress progress;
    BackupOptions options;
    options.paths = {source()};
    options.host = "host";
    options.user = "user";
    options.threads = 1;
    detect::DirectJudge judge;
    options.judge = &judge;
    const auto on_problem = [](const std::string& path, const base::Error& error) {
      ADD_FAILURE() << path << ": " << error.text();
    };
    return run_backup(by, options, progress, on_problem, {});
  }
  store::ObjectId backup() const {
    const auto summary = backup(*repository_);
    if (!summary) ADD_FAILURE() << summary.error().text();
    return summary ? summary->snapshot_id : store::ObjectId{};
  }

  // As another process would open it: as the machine, or (with `state` false) without any key.
  Repository open(std::shared_ptr<store::Store> store, bool as_machine = true) const {
    return Repository::open(std::move(store), as_machine ? state() : "").value();
  }
  // With the recovery key.
  Repository unlocked(std::shared_ptr<store::Store> store) const {
    Repository repository = open(std::move(store));
    EXPECT_TRUE(repository.unlock(repository_->recovery_secrets()->recovery).has_value());
    return repository;
  }

 private:
  kura::test::TemporaryFolder folder_;
  std::unique_ptr<store::CrashFileSystem> disk_;
  std::optional<Repository> repository_;
};

struct Checked {
  CheckSummary summary;
  std::vector<CheckFinding> findings;

  std::string text() const {
    std::string all;
    for (const CheckFinding& finding : findings) all += finding.error.text() + "\n";
    return all;
  }
};

inline Checked check(const Repository& repository, const CheckOptions& options = {.threads = 2}) {
  Checked checked;
  base::Progress progress;
  const auto summary =
      run_check(repository, options, progress, [&](const CheckFinding& f) { checked.findings.push_back(f); }, {});
  if (!summary) {
    ADD_FAILURE() << summary.error().text();
  } else {
    checked.summary = *summary;
  }
  return checked;
}

// A check that finds nothing; what it found else is told.
inline Checked expect_no_findings(const Repository& repository) {
  Checked checked = check(repository);
  EXPECT_EQ(checked.findings.size(), 0U) << checked.text();
  return checked;
}

inline base::Result<GcSummary> gc(const Repository& repository, const GcOptions& options = {}) {
  base::Progress progress;
  return collect_garbage(repository, options, progress, {});
}

inline std::string path_of(store::Kind kind, const store::ObjectId& id) {
  const std::string folder = "/store/" + std::string(store::folder_of(kind)) + "/";
  return folder + (kind == store::Kind::kPack ? id.hex().substr(0, 2) + "/" : "") + id.hex();
}

}  // namespace kura::archive::test
