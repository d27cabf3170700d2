// The threads that read files: job by job, each into its item.
#pragma once

#include "archive/backup/file_reader.h"
#include "archive/backup/item_window.h"
#include "archive/backup/source_entry.h"
#include "archive/backup/source_stage.h"

namespace kura::archive {

// One for each thread; all outlive it.
class ReadStage {
 public:
  ReadStage(Writer& writer, const Chunker& chunker, ItemWindow& window, WorkQueue<ReadJob>& jobs, JobControl& job,
            base::Progress& progress)
      : window_(window), jobs_(jobs), job_(job), reader_(writer, chunker, job, progress) {}

  // Until there are no more jobs, or the job is stopped.
  void run();

 private:
  void fill(const ReadJob& job, ReadFile file);

  ItemWindow& window_;
  WorkQueue<ReadJob>& jobs_;
  JobControl& job_;
  FileReader reader_;
  OwnerNames owners_;
};

}  // namespace kura::archive
