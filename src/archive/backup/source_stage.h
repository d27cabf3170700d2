// Turns what the walk meets into items for the assembly, and into jobs for the readers where a file has to be read.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "archive/backup/file_cache.h"
#include "archive/backup/item_window.h"
#include "archive/backup/job_control.h"
#include "archive/backup/problems.h"
#include "archive/backup/source_entry.h"
#include "archive/backup/walk.h"
#include "archive/backup/work_queue.h"

namespace kura::archive {

// A file to be read; `item` is in the window and not ready.
struct ReadJob {
  OpenFolder parent;
  std::string name;
  Item* item = nullptr;
};

// Used by the walking thread alone.
class SourceStage : public WalkVisitor {
 public:
  // All outlive it.
  SourceStage(Writer& writer, FileCacheReader& cache, ItemWindow& window, WorkQueue<ReadJob>& jobs, Problems& problems,
              JobControl& job)
      : writer_(writer), cache_(cache), window_(window), jobs_(jobs), problems_(problems), job_(job) {}

  base::Status enter(const WalkEntry& folder) override;
  base::Status leave() override;
  base::Status entry(const WalkEntry& entry) override;
  void problem(const std::string& path, base::Error error) override { problems_.report(path, error); }

 private:
  static constexpr std::size_t kMostLinked = 1U << 16;  // files with further names that are remembered at a time

  base::Status file(const WalkEntry& entry, std::unique_ptr<Item> item);
  Item::Link link_of(const struct stat& status);
  bool take_from_cache(const CachedFile& cached, Item& item);
  base::Status push(std::unique_ptr<Item> item);

  Writer& writer_;
  FileCacheReader& cache_;
  ItemWindow& window_;
  WorkQueue<ReadJob>& jobs_;
  Problems& problems_;
  JobControl& job_;
  OwnerNames owners_;
  std::map<std::pair<dev_t, ino_t>, nlink_t> names_left_;  // of files with several
};

}  // namespace kura::archive
