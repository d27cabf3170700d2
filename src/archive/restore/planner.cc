#include "archive/restore/planner.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "archive/restore/link_identity.h"
#include "archive/restore/special_file.h"

namespace kura::archive {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

// The first batches are small, so that writing begins at once; later ones are large, so that a pack is read once.
constexpr std::size_t kFirstBatch = 512;
constexpr std::size_t kLargestBatch = 32768;    // chunks
constexpr std::size_t kBatchMemory = 8U << 20;  // bytes, about: what small files take that are so many chunks

// About.
std::size_t memory_of(const FileJob& job) {
  std::size_t bytes = sizeof(FileJob) + job.name.size();
  bytes += job.contents.ids.size() * (sizeof(ChunkId) + sizeof(std::uint32_t));
  bytes += job.contents.pieces.size() * sizeof(FileContents::Piece);
  for (const auto& [name, value] : job.metadata.xattrs) bytes += sizeof(std::string) * 2 + name.size() + value.size();
  return bytes;
}

bool is_same_time(const struct stat& status, const Entry& entry) {
  return status.st_mtim.tv_sec == entry.mtime_seconds && status.st_mtim.tv_nsec == entry.mtime_nanoseconds;
}

}  // namespace

RestorePlanner::RestorePlanner(PackReader& reader, const RestoreOptions& options, TargetTree& tree,
                               const MetadataWriter& metadata, FileWriter& writer, ChunkFlow& flow,
                               RestoreReport& report)
    : reader_(reader),
      options_(options),
      selection_(options),
      tree_(tree),
      metadata_(metadata),
      writer_(writer),
      flow_(flow),
      report_(report),
      batch_limit_(kFirstBatch) {}

Status RestorePlanner::plan(const Entry& start, const std::string& path) {
  levels_.push_back({.path_size = path == "/" ? 0 : path.size(), .name = {}, .metadata = {}, .folder = tree_.root()});
  if (start.type != EntryType::kFolder) {
    if (Status status = plan_entry(tree_.root(), start); !status) report_.failed(path, status.error());
  } else {
    const bool is_ours = tree_.root()->fresh && path != "/" && !options_.dry_run;
    if (is_ours) tree_.root()->metadata = metadata_.of(start);
    KURA_TRY(walk_tree(
        reader_, start, path, [this](const std::string& at, const Entry& entry) { return visit(at, entry); },
        [this](const std::string& at, const Error& error) { report_.failed(at, error); }));
  }
  levels_.clear();
  submit();
  return {};
}

Result<Visit> RestorePlanner::visit(const std::string& path, const Entry& entry) {
  if (report_.stopped()) return Visit::kStop;
  while (levels_.back().path_size != parent_size(path, entry)) levels_.pop_back();
  const bool is_folder = entry.type == EntryType::kFolder;
  if (selection_.excludes(path, is_folder)) return Visit::kSkipFolder;
  if (is_folder) return enter(path, entry);
  if (!selection_.includes(path, is_folder)) return Visit::kContinue;
  const FolderRef folder = folder_here();
  if (!folder) return Visit::kContinue;
  if (Status status = plan_entry(folder, entry); !status) report_.failed(path, status.error());
  return Visit::kContinue;
}

Visit RestorePlanner::enter(const std::string& path, const Entry& entry) {
  levels_.push_back({.path_size = path.size(), .name = entry.name, .metadata = metadata_.of(entry)});
  if (!selection_.includes(path, true)) return Visit::kContinue;
  return folder_here() ? Visit::kContinue : Visit::kSkipFolder;
}

// The target's folder for where the walk is, made now if it was not yet.
FolderRef RestorePlanner::folder_here() {
  std::size_t made = levels_.size();
  while (!levels_[made - 1].folder) --made;
  for (; made < levels_.size(); ++made) {
    if (!make(levels_[made], levels_[made - 1].folder)) return {};
  }
  return levels_.back().folder;
}

bool RestorePlanner::make(Level& level, const FolderRef& parent) {
  if (level.has_failed) return false;
  Result<FolderRef> folder = tree_.make_folder(parent, level.name, options_.overwrite != Overwrite::kNever);
  if (!folder) {
    level.has_failed = true;
    report_.failed(tree_.source_path(*parent, level.name), folder.error());
    return false;
  }
  level.folder = *std::move(folder);
  const bool keeps_its_own = options_.overwrite == Overwrite::kNever && !level.folder->fresh;
  if (!options_.dry_run && !keeps_its_own) level.folder->metadata = std::move(level.metadata);
  report_.folders.fetch_add(1, std::memory_order_relaxed);
  return true;
}

Status RestorePlanner::plan_entry(const FolderRef& folder, const Entry& entry) {
  const bool is_file = entry.type == EntryType::kFile;
  if (!is_file) report_.others.fetch_add(1, std::memory_order_relaxed);
  if (entry.type == EntryType::kSocket) return {};  // whoever listened on it makes it again

  const bool alone = KURA_TRY(is_left_alone(*folder, entry));
  std::shared_ptr<LinkGroup> links;
  const bool keeps_its_own = alone && options_.overwrite == Overwrite::kNever;
  if (entry.hard_link && !keeps_its_own && !options_.dry_run && joins_links(folder, entry, links)) return {};
  if (alone) {
    if (links) links->is_there.store(true, std::memory_order_release);
    if (is_file) report_.skipped(entry.size);
    return {};
  }
  if (is_file) return plan_file(folder, entry, std::move(links));
  return options_.dry_run ? Status{} : make_other(*folder, entry, links.get());
}

// Whether what is there stays: because it is complete, or because nothing is to be overwritten.
Result<bool> RestorePlanner::is_left_alone(const TargetFolder& folder, const Entry& entry) {
  if (folder.fresh || options_.overwrite == Overwrite::kAlways) return false;
  const Existing existing = KURA_TRY(tree_.look(folder, entry.name));
  if (!existing.there) return false;
  if (options_.overwrite == Overwrite::kNever) return true;
  if (!is_same_time(existing.status, entry)) return false;
  if (entry.type == EntryType::kFile) {
    return S_ISREG(existing.status.st_mode) && static_cast<std::uint64_t>(existing.status.st_size) == entry.size;
  }
  return is_same_special_file(KURA_TRY(tree_.fd(folder))->get(), existing.status, entry);
}

// Whether `entry` is a further name of something that was seen: then it is linked when that is there. Else `links` is
// the new group that it is the first name of.
bool RestorePlanner::joins_links(const FolderRef& folder, const Entry& entry, std::shared_ptr<LinkGroup>& links) {
  const auto& [device, inode] = *entry.hard_link;
  std::shared_ptr<LinkGroup>& group = groups_[{device, inode, link_identity(entry)}];
  if (group) {
    const bool is_file = entry.type == EntryType::kFile;
    PendingName pending{folder, entry.name, group, is_file ? std::optional(entry.size) : std::nullopt};
    if (group->is_there.load(std::memory_order_acquire)) {
      link(pending);
    } else {
      pending_names_.push_back(std::move(pending));
    }
    return true;
  }
  group = std::make_shared<LinkGroup>();
  group->folder = folder;
  group->name = entry.name;
  links = group;
  return false;
}

Status RestorePlanner::plan_file(const FolderRef& folder, const Entry& entry, std::shared_ptr<LinkGroup> links) {
  FileContents contents = KURA_TRY(FileContents::of(reader_, entry));
  if (options_.dry_run) {
    report_.wrote(entry.size);
    report_.restored(0);
    return {};
  }
  const auto job = std::make_shared<FileJob>();
  job->folder = folder;
  job->name = entry.name;
  job->metadata = metadata_.of(entry);
  job->contents = std::move(contents);
  job->links = std::move(links);
  if (!job->contents.ids.empty()) {
    want_chunks(job);
  } else if (job->is_whole()) {
    writer_.write_whole(*job, {});
  } else {
    writer_.finish(*job);
  }
  return {};
}

void RestorePlanner::want_chunks(const std::shared_ptr<FileJob>& job) {
  const FileContents& contents = job->contents;
  std::vector<bool> there;
  if (!job->is_whole() && !job->folder->fresh) {
    there = writer_.resume(*job, [&](std::size_t number, base::ByteSpan bytes) {
      return reader_.verify(contents.ids[number], Content::kFile, bytes);
    });
  }
  const auto kept = static_cast<std::size_t>(std::ranges::count(there, true));
  if (kept == contents.ids.size()) return writer_.finish(*job);
  job->chunks_left.store(contents.ids.size() - kept, std::memory_order_relaxed);

  const std::size_t memory = memory_of(*job);
  if (batch_memory_ + memory > kBatchMemory) submit();
  batch_memory_ += memory;
  std::uint64_t data_offset = 0;
  for (std::size_t number = 0; number < contents.ids.size() && !report_.stopped(); ++number) {
    if (there.empty() || !there[number]) {
      if (batch_.jobs.empty() || batch_.jobs.back() != job) batch_.jobs.push_back(job);
      batch_.wanted.push_back({.place = *reader_.index().find(contents.ids[number]),
                               .job = job.get(),
                               .number = number,
                               .data_offset = data_offset});
      if (batch_.wanted.size() >= batch_limit_) submit();
    }
    data_offset += contents.sizes[number];
  }
}

void RestorePlanner::submit() {
  if (batch_.wanted.empty()) return;
  link_what_is_there();
  flow_.submit(std::exchange(batch_, {}));
  batch_memory_ = 0;
  batch_limit_ = std::min(2 * batch_limit_, kLargestBatch);
}

Status RestorePlanner::make_other(const TargetFolder& folder, const Entry& entry, LinkGroup* links) {
  const std::string temporary = TargetTree::temporary_for(entry.name);
  const SharedFd at = KURA_TRY(tree_.fd(folder));
  int failure = make_special_file(at->get(), temporary, entry);
  if (failure == EEXIST) {
    static_cast<void>(::unlinkat(at->get(), temporary.c_str(), 0));
    failure = make_special_file(at->get(), temporary, entry);
  }
  if (failure != 0) return base::fail(tree_.error("make", folder, entry.name, failure));

  const base::UniqueFd made(::openat(at->get(), temporary.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  if (!made) return base::fail(tree_.error("open", folder, entry.name, errno));
  const Status status = metadata_.apply_to_path(made.get(), entry.type, metadata_.of(entry), folder.default_acl);
  KURA_TRY(tree_.put_in_place(folder, temporary, entry.name));
  if (links != nullptr) links->is_there.store(true, std::memory_order_release);
  if (!status) {
    report_.problem(tree_.source_path(folder, entry.name),
                    Error(status.error()).within(tree_.target_path(folder, entry.name)));
  }
  return {};
}

void RestorePlanner::link_names() {
  for (const PendingName& pending : pending_names_) link(pending);
}

void RestorePlanner::link_what_is_there() {
  std::erase_if(pending_names_, [this](const PendingName& pending) {
    const bool is_there = pending.links->is_there.load(std::memory_order_acquire);
    if (is_there) link(pending);
    return is_there;
  });
}

void RestorePlanner::link(const PendingName& pending) {
  if (report_.stopped()) return;
  const Result<bool> linked = link_name(pending);
  if (!linked) {
    report_.failed(tree_.source_path(*pending.folder, pending.name), linked.error());
  } else if (pending.file_size) {
    *linked ? report_.restored(*pending.file_size) : report_.skipped(*pending.file_size);
  }
}

Result<bool> RestorePlanner::link_name(const PendingName& pending) {
  const LinkGroup& links = *pending.links;
  if (!links.is_there.load(std::memory_order_acquire)) {
    return base::fail(ErrorCode::kDamaged, fmt::format("{} is another name of {}, which could not be restored",
                                                       tree_.target_path(*pending.folder, pending.name),
                                                       tree_.target_path(*links.folder, links.name)));
  }
  const Existing first = KURA_TRY(tree_.look(*links.folder, links.name));
  const Existing there = KURA_TRY(tree_.look(*pending.folder, pending.name));
  if (first.there && there.there && first.status.st_dev == there.status.st_dev &&
      first.status.st_ino == there.status.st_ino) {
    return false;
  }
  const SharedFd from = KURA_TRY(tree_.fd(*links.folder));
  const SharedFd at = KURA_TRY(tree_.fd(*pending.folder));
  const std::string temporary = TargetTree::temporary_for(pending.name);
  static_cast<void>(::unlinkat(at->get(), temporary.c_str(), 0));
  if (::linkat(from->get(), links.name.c_str(), at->get(), temporary.c_str(), 0) != 0) {
    return base::fail(tree_.error("link", *pending.folder, pending.name, errno));
  }
  KURA_TRY(tree_.put_in_place(*pending.folder, temporary, pending.name));
  return true;
}

}  // namespace kura::archive
