// The threads that read files: batch by batch, and frames of other threads in between.
#pragma once

#include <vector>

#include "archive/backup/batch_window.h"
#include "archive/backup/chunker.h"
#include "archive/backup/file_reader.h"
#include "archive/backup/job_control.h"
#include "archive/backup/lane.h"
#include "archive/backup/small_files.h"
#include "archive/backup/source_entry.h"
#include "archive/backup/task_queue.h"
#include "base/progress.h"

namespace kura::archive {

// One for each thread; all outlive it.
class ReadStage {
 public:
  ReadStage(Writer& writer, const Chunker& chunker, BatchWindow& window, TaskQueue& tasks, JobControl& job,
            base::Progress& progress, detect::ContentsJudge* judge)
      : writer_(writer),
        window_(window),
        tasks_(tasks),
        job_(job),
        lane_(writer, &tasks),
        reader_(lane_, chunker, job, progress, judge),
        judge_(judge) {}

  // Until there is nothing more to do, or the job is stopped.
  void run();

 private:
  void read(Batch& batch);
  void read(const Batch::Read& read, const SmallFile& fetched, Item& item);
  void fill(Item& item, ReadFile file);
  void judge_waiting();
  bool keep_remembered(Item& item);

  Writer& writer_;
  BatchWindow& window_;
  TaskQueue& tasks_;
  JobControl& job_;
  Lane lane_;
  SmallFiles small_files_;
  FileReader reader_;
  OwnerNames owners_;
  detect::ContentsJudge* const judge_;
  // Of the batch: small files that are still to be judged, and whose they are.
  std::vector<detect::NamedContents> waiting_;
  std::vector<Item*> waiting_items_;
};

}  // namespace kura::archive
