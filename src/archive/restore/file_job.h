// One file that is being written, by as many threads as have pieces of it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "archive/restore/file_contents.h"
#include "archive/restore/report.h"
#include "archive/restore/target_tree.h"

namespace kura::archive {

// The names of one inode: the first is written, the others are linked to it when it is there.
struct LinkGroup {
  FolderRef folder;
  std::string name;
  std::atomic<bool> is_there{false};
};

struct FileJob {
  FolderRef folder;
  std::string name;
  Metadata metadata;
  FileContents contents;
  std::shared_ptr<LinkGroup> links;

  std::atomic<std::size_t> chunks_left{0};
  std::atomic<std::uint64_t> bytes_told{0};  // to the report
  std::atomic<bool> has_failed{false};
  std::mutex mutex;  // guards what follows
  bool is_created = false;
  std::optional<base::Error> failure;

  // A file of one chunk is written by one thread in one go.
  bool is_whole() const { return contents.ids.size() <= 1 && !contents.is_sparse; }
};

// Puts files into the target: as a temporary beside its name, renamed when it is complete; a file of one chunk without
// any name until then, where that goes. Shared by threads.
class FileWriter {
 public:
  FileWriter(TargetTree& tree, const MetadataWriter& metadata, RestoreReport& report);

  // The whole contents of a file of at most one chunk, and everything else of it.
  void write_whole(FileJob& job, base::ByteSpan contents);
  // The bytes at `data_offset` of the stream of chunks. finish_chunk() must follow.
  void write_piece(FileJob& job, std::uint64_t data_offset, base::ByteSpan bytes);
  void fail(FileJob& job, base::Error error);
  // After each chunk, written or not; the one who brings the last completes the file, or tells that it failed.
  void finish_chunk(FileJob& job);
  // Completes a file none of whose chunks is missing (any more).
  void finish(FileJob& job);

  // Looks for the temporary of an interrupted run, for a file of several chunks. Calls `is_right(chunk number, bytes)`
  // for what is in it; the file goes on from there. Returns which chunks need not be written again.
  std::vector<bool> resume(FileJob& job, const std::function<bool(std::size_t, base::ByteSpan)>& is_right);

 private:
  base::Status write_whole_to(FileJob& job, base::ByteSpan contents);
  // Whether it is in place: false when this way does not go here.
  base::Result<bool> write_unnamed(FileJob& job, base::ByteSpan contents);
  base::Result<base::UniqueFd> create(const FileJob& job);
  base::Result<SharedFd> opened(FileJob& job);
  base::Status complete(FileJob& job, int fd);
  // After it is in place. `status`: of its metadata.
  void is_in_place(const FileJob& job, const base::Status& status);
  void discard(FileJob& job);
  base::Error error(std::string_view action, const FileJob& job, int errno_value) const;

  TargetTree& tree_;
  const MetadataWriter& metadata_;
  RestoreReport& report_;
  FdCache open_;
  std::atomic<bool> unnamed_works_{true};
};

}  // namespace kura::archive
