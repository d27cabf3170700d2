// One backup, from walking to the commit (docs/architecture.md, "How a backup flows").
//
// Needs the machine's key, not the recovery key. Whatever happens before the commit, no snapshot is visible; whatever
// happens after it, the snapshot is durable. What an interrupted backup has stored is taken up by the next.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/repo/repository.h"
#include "base/glob.h"
#include "base/progress.h"
#include "detect/judge/contents_judge.h"

namespace kura::archive {

struct BackupOptions {
  std::vector<std::string> paths;  // as given; made absolute here (their last part is not followed when a link)
  std::vector<std::string> tags;
  base::GlobSet excludes;  // matched against absolute paths
  bool one_file_system = false;
  bool dry_run = false;  // reads and counts; stores nothing
  bool survey = false;   // counts ahead what there is to do, for the totals of the progress (survey.h)
  std::string host;
  std::string user;
  unsigned threads = 0;                    // 0: one a core
  detect::ContentsJudge* judge = nullptr;  // of the contents of what is read; null: they are not judged
  // Bytes of chunks, before compression, that are stored anew at most, so that sparsely used packs come out of use
  // (compaction.h). Nothing: a tenth of the source; 0: none.
  std::optional<std::uint64_t> compact;
};

struct BackupSummary {
  store::ObjectId snapshot_id;  // zero for a dry run
  std::uint64_t files_total = 0, files_new = 0, files_changed = 0, files_unmodified = 0, files_failed = 0;
  std::uint64_t folders_total = 0;
  std::uint64_t bytes_total = 0;  // of all files in the snapshot
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_stored_new = 0;  // written to the store
  std::uint64_t bytes_parity = 0;      // written beside them, where the repository keeps parity
  std::uint64_t chunks_new = 0, chunks_reused = 0;
  std::uint64_t bytes_compacted = 0, packs_compacted = 0;  // stored anew out of sparse packs, before compression
  double seconds = 0;
  Verdict verdict = Verdict::kUnjudged;
  std::vector<std::string> evidence;
  std::optional<base::Error> parity_problem;  // some of what was stored has no parity until the next collection
};

// A source file or folder that could not be read whole. It is in the snapshot as far as that makes sense (never with
// wrong contents): the path and why.
using ProblemHandler = std::function<void(const std::string& path, const base::Error& error)>;

// kInterrupted when `stop` is requested; kUsage when a path does not exist. `progress` and `on_problem` are called
// from worker threads (`on_problem` one at a time).
base::Result<BackupSummary> run_backup(const Repository& repository, const BackupOptions& options,
                                       base::Progress& progress, const ProblemHandler& on_problem,
                                       std::stop_token stop);

}  // namespace kura::archive
