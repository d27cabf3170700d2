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
  std::optional<TaskQueue::Task> task;
  while ((task = tasks_.next(task.has_value(), job_.token()))) {
    if (auto* frame = std::get_if<RawFrame>(&*task)) {
      lane_.store(*frame);
      tasks_.memory().give_back(std::move(frame->text));
      continue;
    }
    Batch* const batch = std::get<Batch*>(*task);
    read(*batch);
    if (job_.stopped()) return;
    window_.ready(batch);
  }
}

void ReadStage::read(Batch& batch) {
  const std::span<const SmallFile> fetched = small_files_.fetch(batch);
  for (std::size_t i = 0; i < batch.reads.size(); ++i) {
    if (job_.stopped()) return;
    const Batch::Read& wanted = batch.reads[i];
    read(wanted, fetched[i], batch.items[wanted.item]);
  }
  judge_waiting();
  small_files_.let_go();
}

void ReadStage::judge_waiting() {
  if (waiting_.empty()) return;
  std::vector<detect::Version> versions = judge_->judge(waiting_);
  for (std::size_t i = 0; i < versions.size(); ++i) {
    Item& item = *waiting_items_[i];
    item.set_judged(conclude(std::move(versions[i]), waiting_[i].name, item.before()));
  }
  waiting_.clear();
  waiting_items_.clear();
}

void ReadStage::read(const Batch::Read& read, const SmallFile& fetched, Item& item) {
  const FileReader::Last last{.content = item.known_before ? &item.content_before : nullptr, .judged = item.before()};
  base::Result<ReadFile> file = reader_.read(read.parent->get(), item.entry.name.c_str(), read.status, fetched, last);
  if (job_.stopped()) return;
  if (file) {
    const bool to_be_judged = file->to_be_judged;
    fill(item, *std::move(file));
    if (!to_be_judged || item.left_out) return;
    waiting_.push_back({{.fd = fetched.fd, .size = fetched.bytes.size(), .bytes = fetched.bytes}, item.entry.name});
    waiting_items_.push_back(&item);
    return;
  }
  item.problem = std::move(file).error();
  item.left_out = !keep_remembered(item);
}

// For an unchanged file that was to be read because of where its chunks lie: they are still there.
bool ReadStage::keep_remembered(Item& item) {
  if (!item.remembered) return false;
  for (const std::vector<ChunkId>* ids : {&item.remembered->content.ref.ids, &item.remembered->content.below}) {
    for (const ChunkId& id : *ids) {
      if (!writer_.keep(id)) return false;
    }
  }
  item.take_remembered();
  item.problem =
      std::move(*item.problem).with_hint("It has not changed, so the snapshot has it as it was stored before");
  return true;
}

void ReadStage::fill(Item& item, ReadFile file) {
  if (file.status_changed) item.entry = entry_of(std::string(item.entry.name), file.status, owners_);
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
  if (file.judged) item.set_judged(*std::move(file.judged));
  // The same bytes are what they were, also where nobody judges.
  if (judge_ == nullptr && item.unmodified && item.judged_before) item.set_judged(JudgedVersion(*item.judged_before));
}

}  // namespace kura::archive
