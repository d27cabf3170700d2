#include "archive/backup/assembly.h"

namespace kura::archive {

base::Status Assembly::take(Item& item) {
  switch (item.kind) {
    case Item::Kind::kEnter:
      return enter(item);
    case Item::Kind::kLeave:
      return leave();
    case Item::Kind::kEntry:
      return entry(item);
  }
  std::unreachable();
}

base::Status Assembly::enter(Item& item) {
  const std::size_t path_size = path_.size();
  if (!levels_.empty()) {
    path_ += '/';
    path_ += item.entry.name;
  }
  if (item.problem) problems_.report(path_.empty() ? "/" : path_, *item.problem);
  ++counts_.snapshot.folders;
  levels_.push_back({std::move(item.entry), ContentWriter(lane_, listings_, Content::kListing), path_size});
  return {};
}

base::Status Assembly::leave() {
  Level level = std::move(levels_.back());
  levels_.pop_back();
  path_.resize(level.path_size);
  WrittenContent content = KURA_TRY(level.listing.finish());
  if (levels_.empty()) {
    root_ = std::move(content.ref);
    return {};
  }
  level.folder.content = std::move(content.ref);
  return append(level.folder);
}

base::Status Assembly::append(const Entry& entry) {
  encoded_.clear();
  entry.encode(encoded_);
  return levels_.back().listing.append(encoded_.bytes());
}

// Keeps what the first name was given, and gives it to the others.
void Assembly::resolve_link(Item& item) {
  if (item.link == Item::Link::kNone) return;
  if (item.link == Item::Link::kFirst) {
    linked_.insert_or_assign(item.inode, item).first->second.remembered.reset();  // only the first name's is kept
    return;
  }
  const auto first = linked_.find(item.inode);
  std::string name = std::move(item.entry.name);
  const Item::Link link = item.link;
  item = first->second;
  item.entry.name = std::move(name);
  item.bytes_read = 0;
  if (link == Item::Link::kLast) linked_.erase(first);
}

base::Status Assembly::entry(Item& item) {
  resolve_link(item);
  const std::size_t path_size = path_.size();
  path_ += '/';
  path_ += item.entry.name;
  if (item.problem) problems_.report(path_, *item.problem);
  if (!item.left_out) {
    if (item.entry.type == EntryType::kFile) {
      count_file(item);
      tell_ledger(item);
      if (cache_ != nullptr && item.remembered) cache_->add(path_, *item.remembered);
    } else {
      ++counts_.snapshot.others;
    }
  }
  path_.resize(path_size);
  return item.left_out ? base::Status() : append(item.entry);
}

// path_ is the file's.
void Assembly::tell_ledger(const Item& item) {
  if (ledger_ == nullptr || !item.entry.judged) return;
  const Judged& judged = *item.entry.judged;
  if (!item.known_before) {
    const std::string_view folder = std::string_view(path_).substr(0, path_.size() - item.entry.name.size() - 1);
    const bool is_note = item.remembered && item.remembered->judged && item.remembered->judged->is_note;
    return ledger_->appeared(folder, item.entry.name,
                             {.verdict = judged.verdict, .turned = judged.turned, .is_note = is_note});
  }
  // What the backup before did not judge may have been so for long.
  const bool was_broken =
      item.unmodified || !item.judged_before || item.judged_before->judged.verdict == detect::Verdict::kBroken;
  if (judged.verdict == detect::Verdict::kBroken && was_broken) return ledger_->still_broken();
  if (was_broken && !item.unmodified && item.judged_before) ledger_->no_longer_broken();
  if (!item.unmodified) ledger_->changed(path_, judged.verdict, judged.turned);
}

void Assembly::count_file(const Item& item) {
  ++counts_.snapshot.files;
  counts_.snapshot.bytes += item.entry.size;
  counts_.bytes_read += item.bytes_read;
  ++(item.unmodified ? counts_.files_unmodified : item.known_before ? counts_.files_changed : counts_.files_new);
  ++progress_.files_done;
  progress_.bytes_done += item.entry.size - item.bytes_read;  // what was read has been counted while it was read
}

}  // namespace kura::archive
