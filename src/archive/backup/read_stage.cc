#include "archive/backup/read_stage.h"

#include <utility>

namespace kura::archive {
namespace {

base::Error changed_while_read() {
  return {base::ErrorCode::kConflict,
          "changed while it was read; what is stored is a mix of its states from the beginning to the end of reading",
          "Back up from a file system snapshot, or while nothing writes to it"};
}

}  // namespace

void ReadStage::run() {
  while (std::optional<ReadJob> job = jobs_.pop(job_.token())) {
    base::Result<ReadFile> file = reader_.read(job->parent->get(), job->name.c_str());
    if (job_.stopped()) return;
    if (file) {
      fill(*job, *std::move(file));
    } else {
      job->item->problem = std::move(file).error();
      job->item->left_out = true;
    }
    window_.ready(job->item);
  }
}

void ReadStage::fill(const ReadJob& job, ReadFile file) {
  Item& item = *job.item;
  item.entry = entry_of(job.name, file.status, owners_);
  if (item.link == Item::Link::kFirst && item.inode != std::pair{file.status.st_dev, file.status.st_ino}) {
    // Another file has taken the name. The further names of the one before would be given its contents.
    item.problem = base::Error(base::ErrorCode::kConflict, "it was replaced during the backup", "Run the backup again");
    item.left_out = true;
    return;
  }
  item.entry.size = file.size;
  item.entry.content = file.content.ref;
  item.entry.extents = file.extents;
  item.entry.xattrs = file.xattrs;
  item.bytes_read = file.bytes_read;
  item.unmodified = item.known_before && item.content_before == item.entry.content;
  const bool whole = !file.changed && !file.xattrs_problem;
  item.problem = file.changed ? changed_while_read() : std::move(file.xattrs_problem);

  CachedFile& remembered = item.remembered.emplace();
  remembered.stamp = FileStamp::of(file.status);
  remembered.trusted = whole && file.content.below_complete && remembered.stamp.settled_at(file.read_at);
  remembered.content = std::move(file.content);
  remembered.size = file.size;
  remembered.extents = std::move(file.extents);
  remembered.xattrs = std::move(file.xattrs);
}

}  // namespace kura::archive
