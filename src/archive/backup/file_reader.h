// Reads one file into a content: what is stored is what was read, whatever others do to the file meanwhile.
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <optional>
#include <vector>

#include "archive/backup/content_writer.h"
#include "archive/backup/file_judge.h"
#include "archive/backup/open_folder.h"
#include "archive/backup/small_files.h"
#include "archive/backup/xattrs.h"
#include "archive/format/entry.h"
#include "base/progress.h"

namespace kura::archive {

struct ReadFile {
  struct stat status{};         // what its entry tells
  bool status_changed = false;  // since the walk: `status` is newer
  std::int64_t read_at = 0;     // ns since 1970, before it was opened
  WrittenContent content;
  std::uint64_t size = 0;  // of the contents, holes included
  std::uint64_t bytes_read = 0;
  std::optional<std::vector<Extent>> extents;
  Xattrs xattrs;
  std::optional<base::Error> xattrs_problem;  // they could not be read
  bool changed = false;                       // while it was read
  std::optional<JudgedVersion> judged;
  bool to_be_judged = false;  // by whoever fetched it: many small files are judged at once
};

// One for each thread.
class FileReader {
 public:
  // All outlive it; `judge` may be null.
  FileReader(Lane& lane, const Chunker& chunker, JobControl& job, base::Progress& progress,
             detect::ContentsJudge* judge)
      : job_(job), progress_(progress), judge_(judge), content_(lane, chunker, Content::kFile) {}

  // An error is the file's own (kNotFound when it vanished, kDenied, kIo, kConflict when it is no file any more), or
  // the job's, which job.stopped() tells. `walked` is what the walk saw of it, `fetched` what was fetched of it since.
  // `last` is what the backup before had of it.
  struct Last {
    const ContentRef* content = nullptr;
    Before judged;
  };
  base::Result<ReadFile> read(int parent, const char* name, const struct stat& walked, const SmallFile& fetched,
                              const Last& last);

 private:
  std::optional<base::Result<ReadFile>> read_as_walked(int fd, const struct stat& walked, std::int64_t read_at,
                                                       std::optional<base::ByteSpan> bytes);
  base::Result<ReadFile> read_open(int fd, const struct stat& status, std::int64_t read_at,
                                   std::optional<base::ByteSpan> bytes = std::nullopt);
  void judge(int fd, bool fetched, ReadFile& file) const;
  base::Status take(base::ByteSpan bytes, ReadFile& file);
  base::Status read_range(int fd, std::uint64_t offset, std::uint64_t size, std::uint64_t& got);
  base::Status read_data(int fd, ReadFile& file);
  base::Status read_extents(int fd, ReadFile& file);

  JobControl& job_;
  base::Progress& progress_;
  detect::ContentsJudge* const judge_;  // null: nothing is judged
  const char* name_ = nullptr;          // of the file that is read
  Last last_;
  ContentWriter content_;
};

}  // namespace kura::archive
