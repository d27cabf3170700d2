#include "archive/backup/source_stage.h"

#include "archive/backup/xattrs.h"

namespace kura::archive {
namespace {

// A batch is handed on when it has so much: entries, files to read (each may hold a descriptor of its folder), bytes to
// read. Large enough that handing over costs little, small enough that all threads get some of a small source.
constexpr std::size_t kItems = 256;
constexpr std::size_t kReads = 32;
constexpr std::uint64_t kReadSize = 4U << 20;

void take_xattrs(base::Result<Xattrs> xattrs, Item& item) {
  if (xattrs) {
    item.entry.xattrs = *std::move(xattrs);
  } else {
    item.problem = std::move(xattrs).error();
  }
}

}  // namespace

Item& SourceStage::add_item() {
  if (!batch_) {
    batch_ = std::make_unique<Batch>();
    batch_->items.reserve(last_items_);
  }
  return batch_->items.emplace_back();
}

base::Status SourceStage::hand_on_full() {
  const bool full = batch_->items.size() >= kItems || batch_->reads.size() >= kReads || batch_->read_size >= kReadSize;
  return full ? flush() : base::Status{};
}

base::Status SourceStage::finish() {
  cache_.finish();
  return flush();
}

base::Status SourceStage::flush() {
  if (!batch_) return {};
  last_items_ = batch_->items.size();
  const std::size_t reads = batch_->reads.size();
  Batch* const pushed = window_.push(std::move(batch_), job_.token());
  if (pushed == nullptr) return job_.status();
  // One with nothing to read is the assembly's by now.
  if (reads != 0 && !tasks_.push(pushed, reads, job_.token())) return job_.status();
  return {};
}

base::Status SourceStage::enter(const WalkEntry& folder) {
  Item& item = add_item();
  item.kind = Item::Kind::kEnter;
  item.entry = entry_of(folder.name, folder.status, owners_);
  if (folder.self != nullptr) {
    take_xattrs(read_folder_xattrs(folder.self->get()), item);
  } else if (folder.parent != nullptr) {
    take_xattrs(read_xattrs_at(folder.parent->get(), folder.name), item);
  }
  return hand_on_full();
}

base::Status SourceStage::leave() {
  add_item().kind = Item::Kind::kLeave;
  return hand_on_full();
}

base::Status SourceStage::entry(const WalkEntry& entry) {
  Item& item = add_item();
  item.entry = entry_of(entry.name, entry.status, owners_);
  if (item.entry.type == EntryType::kFile) {
    KURA_TRY(file(entry, item));
    return hand_on_full();
  }
  take_xattrs(read_xattrs_at(entry.parent->get(), entry.name), item);
  if (item.entry.type == EntryType::kSymlink) {
    base::Result<std::string> target = read_link(entry.parent->get(), entry.name);
    if (target) {
      item.entry.target = *std::move(target);
    } else {
      item.problem = std::move(target).error();
      item.left_out = true;
    }
  }
  return hand_on_full();
}

// The assembly keeps the entries of the first names for as long as this side says that others may follow.
Item::Link SourceStage::link_of(const struct stat& status) {
  if (status.st_nlink < 2) return Item::Link::kNone;
  const auto found = names_left_.find({status.st_dev, status.st_ino});
  if (found != names_left_.end()) {
    if (--found->second > 0) return Item::Link::kAgain;
    names_left_.erase(found);
    return Item::Link::kLast;
  }
  if (names_left_.size() >= kMostLinked) return Item::Link::kNone;
  names_left_.emplace(std::pair{status.st_dev, status.st_ino}, status.st_nlink - 1);
  return Item::Link::kFirst;
}

base::Status SourceStage::file(const WalkEntry& entry, Item& item) {
  item.link = link_of(entry.status);
  item.inode = {entry.status.st_dev, entry.status.st_ino};
  if (item.link == Item::Link::kAgain || item.link == Item::Link::kLast) return {};
  if (const CachedFile* cached = cache_.find(entry.path)) {
    item.known_before = true;
    const bool is_judged = cached->judged.has_value() || !judges_;
    if (cached->trusted && is_judged && cached->stamp == FileStamp::of(entry.status)) {
      if (take_from_cache(*cached, item)) return {};
      item.remembered = *cached;  // until it is read: what it has if that fails
    }
    item.content_before = cached->content.ref;
    item.judged_before = cached->judged;
  } else if (const JudgedVersion* before = judges_ ? lineage_.before(entry.path) : nullptr) {
    item.judged_before = *before;
  } else if (const JudgedVersion* moved =
                 judges_ ? lineage_.moved(entry.path, entry.status.st_ino, item.entry.size) : nullptr) {
    item.moved_before = *moved;
  }
  batch_->reads.push_back({.parent = entry.parent, .status = entry.status, .item = batch_->items.size() - 1});
  batch_->read_size += item.entry.size;
  return {};
}

// Only when every chunk of it, and every list of chunks, can be leaned on where it is.
bool SourceStage::take_from_cache(const CachedFile& cached, Item& item) {
  for (const std::vector<ChunkId>* ids : {&cached.content.ref.ids, &cached.content.below}) {
    for (const ChunkId& id : *ids) {
      if (!writer_.use(id)) return false;
    }
  }
  item.remembered = cached;
  item.take_remembered();
  return true;
}

}  // namespace kura::archive
