// Turns what the walk meets into batches for the assembly, which readers complete first where files have to be read.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "archive/backup/batch_window.h"
#include "archive/backup/file_cache.h"
#include "archive/backup/job_control.h"
#include "archive/backup/lineage.h"
#include "archive/backup/problems.h"
#include "archive/backup/source_entry.h"
#include "archive/backup/task_queue.h"
#include "archive/backup/walk.h"
#include "archive/backup/writer.h"

namespace kura::archive {

// Used by the walking thread alone.
class SourceStage : public WalkVisitor {
 public:
  // All outlive it.
  SourceStage(Writer& writer, FileCacheReader& cache, const Lineage& lineage, BatchWindow& window, TaskQueue& tasks,
              Problems& problems, JobControl& job, bool judges)
      : writer_(writer),
        cache_(cache),
        lineage_(lineage),
        window_(window),
        tasks_(tasks),
        problems_(problems),
        job_(job),
        judges_(judges) {}

  base::Status enter(const WalkEntry& folder) override;
  base::Status leave() override;
  base::Status entry(const WalkEntry& entry) override;
  void problem(const std::string& path, base::Error error) override { problems_.report(path, error); }

  // At the end: hands on what is gathered.
  base::Status finish();

 private:
  static constexpr std::size_t kMostLinked = 1U << 16;  // files with further names that are remembered at a time

  Item& add_item();
  base::Status hand_on_full();
  base::Status flush();
  base::Status file(const WalkEntry& entry, Item& item);
  Item::Link link_of(const struct stat& status);
  bool take_from_cache(const CachedFile& cached, Item& item);

  Writer& writer_;
  FileCacheReader& cache_;
  const Lineage& lineage_;  // told by whoever hears of what the cache passes over
  BatchWindow& window_;
  TaskQueue& tasks_;
  Problems& problems_;
  JobControl& job_;
  const bool judges_;  // so what was never judged is read anew
  OwnerNames owners_;
  std::unique_ptr<Batch> batch_;
  std::size_t last_items_ = 0;                             // of the batch before: batches of one source are alike
  std::map<std::pair<dev_t, ino_t>, nlink_t> names_left_;  // of files with several
};

}  // namespace kura::archive
