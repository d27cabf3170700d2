// A folder to back up, its repository in another, and what is in the snapshots, read with the recovery key.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "archive/backup/backup.h"
#include "archive/repo/chunk_index.h"
#include "archive/repo/pack_reader.h"
#include "archive/repo/tree.h"
#include "support/temporary_folder.h"

namespace kura::archive::test {

inline std::string random_text(std::size_t size, unsigned seed) {
  std::string text(size, '\0');
  std::uint64_t state = seed * 0x9e3779b97f4a7c15ULL + 1;
  for (char& byte : text) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    byte = static_cast<char>(state >> 56);
  }
  return text;
}

class BackupBench : public ::testing::Test {
 protected:
  BackupBench() {
    std::filesystem::create_directory(source_);
    auto store = store::create_store(folder_ / "repository");
    EXPECT_TRUE(store.has_value());
    auto made = Repository::create(
        *std::move(store), {.state_folder = folder_ / "state", .machine_label = "host", .passphrase = std::nullopt});
    if (!made) ADD_FAILURE() << made.error().text();
    repository_.emplace(*std::move(made));
  }

  void write(const std::string& name, std::string_view text) {
    const std::filesystem::path path = source_ + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
  }
  // Old enough for the cache to trust it: a file's ctime cannot be set, so the test waits.
  static void settle() { ::usleep(120'000); }

  struct Problem {
    std::string path;
    base::Error error;
  };
  base::Result<BackupSummary> try_backup(BackupOptions options = {}, std::stop_token stop = {}) {
    if (options.paths.empty()) options.paths = {source_};
    options.host = "host";
    options.user = "user";
    detect::DirectJudge judge;
    options.judge = &judge;
    problems_.clear();
    return run_backup(
        *repository_, options, progress_,
        [this](const std::string& path, const base::Error& error) { problems_.push_back({path, error}); }, stop);
  }
  BackupSummary backup(BackupOptions options = {}) {
    auto summary = try_backup(std::move(options));
    if (!summary) ADD_FAILURE() << summary.error().text();
    return summary ? *summary : BackupSummary{};
  }

  // All of a snapshot, with its files' contents; everything is opened and checked on the way.
  struct Stored {
    Snapshot snapshot;
    std::map<std::string, Entry> entries;
    std::map<std::string, std::string> contents;
  };
  Stored stored(const store::ObjectId& id) const {
    const StoredSnapshot found = repository_->snapshot(id).value();
    std::vector<DamagedObject> damaged;
    const ChunkIndex index = load_index(*repository_, found, damaged).value();
    EXPECT_TRUE(damaged.empty());
    PackReader reader(*repository_, index);
    Stored out{.snapshot = found.snapshot, .entries = {}, .contents = {}};
    const Entry root = find_entry(reader, found.snapshot.label->root, "/").value();
    const auto walked = walk_tree(
        reader, root, "/",
        [&](const std::string& path, const Entry& entry) -> base::Result<Visit> {
          out.entries[path] = entry;
          if (entry.type == EntryType::kFile) out.contents[path] = contents(reader, entry);
          return Visit::kContinue;
        },
        [](const std::string& path, const base::Error& error) { ADD_FAILURE() << path << ": " << error.text(); });
    EXPECT_TRUE(walked.has_value());
    return out;
  }
  static std::string contents(PackReader& reader, const Entry& file) {
    std::string data;
    for (const ChunkId& id : reader.leaves(file.content).value()) {
      data += base::as_text(reader.chunk(id, Content::kFile).value());
    }
    if (!file.extents) return data;
    std::string whole(file.size, '\0');
    std::size_t at = 0, used = 0;
    for (const Extent& extent : *file.extents) {
      whole.replace(at + extent.gap, extent.size, data, used, extent.size);
      at += extent.gap + extent.size;
      used += extent.size;
    }
    EXPECT_EQ(used, data.size());
    return whole;
  }
  std::string source(const std::string& name) const { return source_ + "/" + name; }

  kura::test::TemporaryFolder folder_;
  std::string source_ = std::filesystem::canonical(folder_.path()).string() + "/source";
  std::optional<Repository> repository_;
  base::Progress progress_;
  std::vector<Problem> problems_;
};

}  // namespace kura::archive::test
