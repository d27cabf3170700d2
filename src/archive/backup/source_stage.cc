#include "archive/backup/source_stage.h"

#include "archive/backup/xattrs.h"

namespace kura::archive {
namespace {

void take_xattrs(base::Result<Xattrs> xattrs, Item& item) {
  if (xattrs) {
    item.entry.xattrs = *std::move(xattrs);
  } else {
    item.problem = std::move(xattrs).error();
  }
}

}  // namespace

base::Status SourceStage::push(std::unique_ptr<Item> item) {
  if (window_.push(std::move(item), true, job_.token()) == nullptr) return job_.status();
  return {};
}

base::Status SourceStage::enter(const WalkEntry& folder) {
  auto item = std::make_unique<Item>();
  item->kind = Item::Kind::kEnter;
  item->entry = entry_of(folder.name, folder.status, owners_);
  if (folder.self != nullptr) {
    take_xattrs(read_folder_xattrs(folder.self->get()), *item);
  } else if (folder.parent != nullptr) {
    take_xattrs(read_xattrs_at(folder.parent->get(), folder.name), *item);
  }
  return push(std::move(item));
}

base::Status SourceStage::leave() {
  auto item = std::make_unique<Item>();
  item->kind = Item::Kind::kLeave;
  return push(std::move(item));
}

base::Status SourceStage::entry(const WalkEntry& entry) {
  auto item = std::make_unique<Item>();
  item->entry = entry_of(entry.name, entry.status, owners_);
  if (item->entry.type == EntryType::kFile) return file(entry, std::move(item));
  take_xattrs(read_xattrs_at(entry.parent->get(), entry.name), *item);
  if (item->entry.type == EntryType::kSymlink) {
    base::Result<std::string> target = read_link(entry.parent->get(), entry.name);
    if (target) {
      item->entry.target = *std::move(target);
    } else {
      item->problem = std::move(target).error();
      item->left_out = true;
    }
  }
  return push(std::move(item));
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

base::Status SourceStage::file(const WalkEntry& entry, std::unique_ptr<Item> item) {
  item->link = link_of(entry.status);
  item->inode = {entry.status.st_dev, entry.status.st_ino};
  if (item->link == Item::Link::kAgain || item->link == Item::Link::kLast) return push(std::move(item));
  if (const CachedFile* cached = cache_.find(entry.path)) {
    item->known_before = true;
    if (cached->trusted && cached->stamp == FileStamp::of(entry.status) && take_from_cache(*cached, *item)) {
      return push(std::move(item));
    }
    item->content_before = cached->content.ref;
  }
  Item* const pushed = window_.push(std::move(item), false, job_.token());
  if (pushed == nullptr || !jobs_.push({entry.parent, entry.name, pushed}, 1, job_.token())) return job_.status();
  return {};
}

// Only when every chunk of it, and every list of chunks, can still be leaned on.
bool SourceStage::take_from_cache(const CachedFile& cached, Item& item) {
  for (const std::vector<ChunkId>* ids : {&cached.content.ref.ids, &cached.content.below}) {
    for (const ChunkId& id : *ids) {
      if (!writer_.use(id)) return false;
    }
  }
  item.unmodified = true;
  item.entry.size = cached.size;
  item.entry.content = cached.content.ref;
  item.entry.extents = cached.extents;
  item.entry.xattrs = cached.xattrs;
  item.remembered = cached;
  return true;
}

}  // namespace kura::archive
