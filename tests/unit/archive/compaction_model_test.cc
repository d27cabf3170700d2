// Compaction among all that may happen to a repository: edits, two series, backups that are cut off, forgotten
// snapshots, collections, time. What any snapshot holds never changes.
#include <filesystem>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "archive/upkeep/forget.h"
#include "support/archive/backup_world.h"
#include "support/archive/restored.h"
#include "support/store/faulty_store.h"

namespace kura::archive {
namespace {

using FileTexts = std::map<std::string, std::string>;  // by path from the source

FileTexts contents_of(const std::filesystem::path& folder) {
  FileTexts contents;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) {
      contents[entry.path().lexically_relative(folder)] = test::read_file(entry.path());
    }
  }
  return contents;
}

class Model {
 public:
  explicit Model(std::uint32_t seed) : random_(seed) {
    for (const std::string series : {"a", "b"}) {
      for (int i = 0; i < 6; ++i) edit(series);
    }
  }

  void step() {
    const std::string series = chance(2) ? "a" : "b";
    switch (pick(10)) {
      case 0:
        collect();
        break;
      case 1:
      case 2:
        forget();
        break;
      case 3:
        world_.disk().advance_clock(static_cast<std::int64_t>(pick(40 * 24)) * test::kHourNs);
        break;
      case 4:
        interrupt(series);
        break;
      case 5:
      case 6:
      case 7:
        edit(series);
        break;
      default:
        backup(series);
    }
  }

  void check_all() {
    collect();
    test::expect_no_findings(world_.repository());
    const SnapshotList list = world_.repository().snapshots().value();
    ASSERT_EQ(list.snapshots.size(), snapshots_.size());
    for (const StoredSnapshot& stored : list.snapshots) {
      const kura::test::TemporaryFolder folder;
      const test::Restored restored =
          test::restore(world_.repository(), stored, {.path = world_.source(), .target = folder / "back"});
      ASSERT_TRUE(restored.summary.has_value()) << restored.summary.error().text();
      EXPECT_TRUE(restored.problems.empty());
      EXPECT_EQ(contents_of(folder / "back"), snapshots_.at(stored.id)) << "what was backed up is what comes back";
    }
  }

  std::uint64_t packs_compacted() const { return packs_compacted_; }

 private:
  std::uint32_t pick(std::uint32_t below) { return static_cast<std::uint32_t>(random_() % below); }
  bool chance(std::uint32_t of) { return pick(of) == 0; }

  // FileTexts out of a few: the series share some, and files come back to what they were.
  void edit(const std::string& series) {
    const std::string name = series + "/" + std::to_string(pick(12));
    if (chance(3)) return world_.erase(name);
    const std::uint32_t content = pick(60);
    world_.write(name, content, 1000 * (1 + content));
  }

  base::Result<BackupSummary> try_backup(const Repository& by, const std::string& series) {
    std::filesystem::create_directories(world_.source() + "/" + series);
    BackupOptions options;
    options.paths = {world_.source() + "/" + series};
    options.host = "host";
    options.threads = 1;
    if (!chance(3)) options.compact = std::array{0U, 100'000U, 1'000'000'000U}[pick(3)];
    base::Progress progress;
    return run_backup(by, options, progress,
                      [](const auto& path, const auto& error) { ADD_FAILURE() << path << ": " << error.text(); }, {});
  }

  void backup(const std::string& series) {
    const auto summary = try_backup(world_.repository(), series);
    ASSERT_TRUE(summary.has_value()) << summary.error().text();
    packs_compacted_ += summary->packs_compacted;
    FileTexts contents;
    for (auto& [name, content] : contents_of(world_.source() + "/" + series)) {
      contents[series + "/" + name] = content;
    }
    snapshots_[summary->snapshot_id] = std::move(contents);
  }

  // Fails at any of what it stores, or (chosen beyond them all) not at all: then it is forgotten again.
  void interrupt(const std::string& series) {
    store::FaultyStore faulty(world_.store());
    faulty.fail_nth(store::FaultyStore::Call::kPut, pick(5));
    const auto summary =
        try_backup(world_.open(std::shared_ptr<store::Store>(std::shared_ptr<void>(), &faulty)), series);
    if (summary) ASSERT_TRUE(forget_snapshots(world_.repository(), {summary->snapshot_id}).has_value());
  }

  void forget() {
    std::vector<store::ObjectId> ids;
    for (const auto& [id, contents] : snapshots_) {
      if (chance(2)) ids.push_back(id);
    }
    for (const auto& id : ids) snapshots_.erase(id);
    ASSERT_TRUE(forget_snapshots(world_.repository(), ids).has_value());
  }

  void collect() {
    const auto summary = test::gc(world_.repository());
    ASSERT_TRUE(summary.has_value()) << summary.error().text();
  }

  test::BackupWorld world_;
  std::mt19937 random_;
  std::map<store::ObjectId, FileTexts> snapshots_;
  std::uint64_t packs_compacted_ = 0;
};

TEST(CompactionModel, WhateverIsEditedForgottenCutOffAndCollectedEverySnapshotComesBackExactly) {
  std::uint64_t packs_compacted = 0;
  for (std::uint32_t seed = 1; seed <= 12; ++seed) {
    SCOPED_TRACE(seed);
    Model model(seed);
    for (int step = 0; step < 60; ++step) model.step();
    model.check_all();
    packs_compacted += model.packs_compacted();
  }
  EXPECT_GT(packs_compacted, 10U) << "it was compaction that was looked at";
}

}  // namespace
}  // namespace kura::archive
