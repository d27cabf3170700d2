// Writing back: a snapshot, or a path in it, into a folder.
//
// Chunks are read in pack order by many threads, checked against their ids, and written to temporaries beside their
// targets, which are renamed when they are complete (small files to temporaries without a name, which get it then): a
// file under its own name is whole. A restore that was interrupted goes on where it was when it is run again. Memory:
// some 150 MB, and 200 bytes for each file with several names.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/repo/pack_reader.h"
#include "base/glob.h"
#include "base/progress.h"

namespace kura::archive {

enum class Overwrite { kNever, kChanged, kAlways };

struct RestoreOptions {
  std::string path = "/";    // in the snapshot. "/" writes all under target with full paths; another folder writes
                             // what is in it into target; a file is written into target under its own name
  std::string target{};      // made when it is not there
  base::GlobSet includes{};  // empty: all
  base::GlobSet excludes{};
  // Asked of each path too, when it is there; for a folder, whether there is anything to write in it.
  std::function<bool(const std::string& path, bool is_folder)> wanted{};
  Overwrite overwrite = Overwrite::kChanged;  // changed: type, size or mtime differ
  bool verify = false;  // read back everything written, and what was skipped, and compare with the ids
  bool dry_run = false;
  bool numeric_owner = false;  // else names of owners are looked up here first
  unsigned threads = 0;
};

struct RestoreSummary {
  std::uint64_t files_restored = 0, files_skipped = 0, files_failed = 0;
  std::uint64_t folders = 0, others = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t bytes_verified = 0;
  double seconds = 0;
  std::vector<DamagedObject> damaged;  // of the repository, which the restore could do without: to be shown
};

using RestoreProblem = std::function<void(const std::string& path, const base::Error& error)>;

// Files whose chunks are damaged or missing are named through `on_problem` with kDamaged and are not written; others
// are; files_failed counts both those and files that the target refused (kNoSpace, kDenied, ...).
base::Result<RestoreSummary> run_restore(const Repository& repository, const StoredSnapshot& snapshot,
                                         const RestoreOptions& options, base::Progress& progress,
                                         const RestoreProblem& on_problem, std::stop_token stop);

}  // namespace kura::archive
