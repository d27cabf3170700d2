#include "archive/upkeep/folder_walk.h"

#include <algorithm>
#include <functional>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "archive/upkeep/check_findings.h"
#include "crypto/hash.h"

namespace kura::archive {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

base::Digest name_of_content(const ContentRef& content) {
  base::Encoder out;
  content.encode(out);
  return crypto::sha256(out.bytes());
}

std::string join(const std::string& folder, const std::string& name) {
  return folder.ends_with('/') ? folder + name : folder + "/" + name;
}

}  // namespace

// Goes through the chunks of contents.
class FolderWalk::Lookup {
 public:
  // `use` is called with all copies of each chunk, and what needs it.
  using Use = std::function<void(const std::string& path, std::span<const ChunkPlace> copies)>;
  Lookup(FolderWalk& walk, Use use) : walk_(walk), use_(std::move(use)) {}

  // The sizes of the chunks at depth 0 together; nullopt when a bad pack keeps it from being known.
  Result<std::optional<std::uint64_t>> size(const std::string& path, const ContentRef& content) {
    std::vector<ChunkId> ids = content.ids;
    for (std::uint8_t depth = content.depth; depth > 0; --depth) {
      if (!KURA_TRY(look_up(path, ids))) return std::nullopt;
      ids = KURA_TRY(walk_.reader_.leaves({.depth = 1, .ids = std::move(ids)}));
    }
    return look_up(path, ids);
  }

 private:
  Result<std::optional<std::uint64_t>> look_up(const std::string& path, const std::vector<ChunkId>& ids) {
    std::uint64_t size = 0;
    bool readable = true;
    for (const ChunkId& id : ids) {
      const std::vector<ChunkPlace> copies = walk_.index_.copies(id);
      if (copies.empty()) return base::fail(ErrorCode::kDamaged, fmt::format("chunk {} is in no pack", id.hex()));
      use_(path, copies);
      size += copies.front().size;
      readable = readable && walk_.has_good(copies);
    }
    if (!readable) return std::nullopt;
    return size;
  }

  FolderWalk& walk_;
  Use use_;
};

FolderWalk::FolderWalk(const Repository& repository, const ChunkIndex& index, const ObjectIdSet& bad_packs)
    : store_(repository.store()), index_(index), reader_(repository, index, 64U << 20) {
  for (const ChunkIndex::Pack& pack : index.packs()) bad_.push_back(bad_packs.contains(pack.id));
}

std::size_t FolderWalk::add_root(const ContentRef& listing) {
  const std::lock_guard lock(mutex_);
  return number_of(listing, "/");
}

// Under the mutex.
std::size_t FolderWalk::number_of(const ContentRef& listing, const std::string& path) {
  const auto [place, is_new] = known_.emplace(name_of_content(listing), folders_.size());
  if (is_new) {
    WalkedFolder& folder = folders_.emplace_back();
    folder.content = listing;
    folder.path = path;
    todo_.push_back(place->second);
    changed_.notify_one();
  }
  return place->second;
}

Status FolderWalk::run(unsigned threads, const std::stop_token& stop) {
  {
    std::vector<std::jthread> helpers;
    for (unsigned i = 1; i < threads; ++i) helpers.emplace_back([&] { work(stop); });
    work(stop);
  }
  if (failure_) return base::fail(*failure_);
  return {};
}

void FolderWalk::work(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return !todo_.empty() || busy_ == 0 || failure_; });
    if (todo_.empty() || failure_) return;
    WalkedFolder& folder = folders_[todo_.back()];  // a deque: stays where it is
    todo_.pop_back();
    ++busy_;
    lock.unlock();
    Status status = check_not_stopped(stop);
    if (status) status = read(folder);
    lock.lock();
    --busy_;
    if (!status && !failure_) failure_ = std::move(status).error();
    if (failure_ || (todo_.empty() && busy_ == 0)) changed_.notify_all();
  }
}

Status FolderWalk::read(WalkedFolder& folder) {
  Lookup lookup(*this, [&](const std::string& path, auto copies) { note_use(folder, path, copies); });
  const Status status = read_entries(folder, lookup);
  std::ranges::sort(folder.packs);
  folder.packs.erase(std::ranges::unique(folder.packs).begin(), folder.packs.end());
  if (status) return {};
  if (!is_finding(store_, status.error())) return status;
  folder.is_unread = true;
  folder.problems.push_back(Error(status.error()).within(folder.path));
  return {};
}

bool FolderWalk::has_good(std::span<const ChunkPlace> copies) const {
  return std::ranges::any_of(copies, [&](const auto& copy) { return !bad_[copy.pack]; });
}

void FolderWalk::note_use(WalkedFolder& folder, const std::string& path, std::span<const ChunkPlace> copies) const {
  folder.packs.push_back(copies.front().pack);
  if (has_good(copies)) return;
  for (const ChunkPlace& copy : copies) folder.lost.emplace(copy.pack, path);
}

Status FolderWalk::read_entries(WalkedFolder& folder, Lookup& lookup) {
  if (!KURA_TRY(lookup.size(folder.path, folder.content))) {
    folder.is_unread = true;
    return {};
  }
  ListingReader listing = KURA_TRY(ListingReader::open(reader_, folder.content));
  while (const std::optional<Entry> entry = KURA_TRY(listing.next())) {
    const std::string path = join(folder.path, entry->name);
    if (entry->type == EntryType::kFolder) {
      const std::lock_guard lock(mutex_);
      folder.children.push_back(number_of(entry->content, path));
    }
    if (entry->type != EntryType::kFile) continue;
    const auto size = lookup.size(path, entry->content);
    if (!size && !is_finding(store_, size.error())) return base::fail(size.error());
    if (!size) {
      folder.problems.push_back(Error(size.error()).within(path));
    } else if (*size && **size != data_size(*entry)) {
      folder.problems.push_back(
          Error(ErrorCode::kDamaged, fmt::format("{}: its chunks have {} bytes, which is not its size", path, **size)));
    }
  }
  return {};
}

Result<bool> FolderWalk::is_covered(const WalkedFolder& folder, const std::vector<bool>& named) {
  bool covered = true;
  Lookup lookup(*this, [&](const std::string&, auto copies) {
    covered = covered && std::ranges::any_of(copies, [&](const auto& copy) { return named[copy.pack]; });
  });
  WalkedFolder again;
  again.content = folder.content;
  again.path = folder.path;
  const Status status = read_entries(again, lookup);
  if (!status && !is_finding(store_, status.error())) return base::fail(status.error());
  return covered;
}

}  // namespace kura::archive
