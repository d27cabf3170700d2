// The threads that read files: batch by batch, and frames of other threads in between.
#pragma once

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
        reader_(lane_, chunker, job, progress, judge) {}

  // Until there is nothing more to do, or the job is stopped.
  void run();

 private:
  void read(Batch& batch);
  void read(const Batch::Read& read, const SmallFile& fetched, Item& item);
  void fill(Item& item, ReadFile file);
  bool keep_remembered(Item& item);

  Writer& writer_;
  BatchWindow& window_;
  TaskQueue& tasks_;
  JobControl& job_;
  Lane lane_;
  SmallFiles small_files_;
  FileReader reader_;
  OwnerNames owners_;
};

}  // namespace kura::archive
