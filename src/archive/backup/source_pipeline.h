// The front of a backup: walk, cache, readers and assembly, running side by side.
#pragma once

#include "archive/backup/assembly.h"
#include "archive/backup/chunker.h"
#include "archive/backup/file_cache.h"
#include "archive/backup/job_control.h"
#include "archive/backup/problems.h"
#include "archive/backup/walk.h"
#include "archive/backup/writer.h"

namespace kura::archive {

struct SourcePipeline {
  // All outlive the run.
  const WalkPlan& plan;
  const WalkOptions& walk_options;
  const Chunker& files;
  const Chunker& listings;
  Writer& writer;
  FileCacheReader& cache_before;
  FileCacheWriter* cache_after = nullptr;  // may be null
  Problems& problems;
  base::Progress& progress;
  JobControl& job;
  unsigned readers = 2;
  detect::ContentsJudge* judge = nullptr;  // of the contents of files, or none
  detect::ChangeLedger* ledger = nullptr;  // what changed is told; may be null

  struct Outcome {
    ContentRef root;
    AssemblyCounts counts;
  };
  // Returns when the whole tree has been put to the writer, or the job was stopped. One thread walks, `readers` read,
  // the caller's assembles. Memory: some thousand entries, a chunk and a read for each reader.
  base::Result<Outcome> run();
};

}  // namespace kura::archive
