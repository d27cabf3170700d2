// Reads every distinct folder below a number of roots once, on several threads. For check_trees.cc.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <vector>

#include "archive/repo/needs.h"
#include "archive/repo/pack_reader.h"
#include "archive/repo/tree.h"

namespace kura::archive {

struct WalkedFolder {
  ContentRef content;
  std::string path;                   // where it was seen first
  std::vector<std::uint32_t> packs;   // that its listing and its files lie in (the first copy of each chunk), sorted
  std::vector<std::size_t> children;  // numbers of the folders in it
  std::vector<base::Error> problems;  // that no bad pack explains
  // Bad packs that hold what no other pack does, each with the first path that lacks it.
  std::map<std::uint32_t, std::string> lost;
  bool is_unread = false;  // its listing is lost, or wrong: what else is below it is not known
};

class FolderWalk {
 public:
  FolderWalk(const Repository& repository, const ChunkIndex& index, const ObjectIdSet& bad_packs);

  // The number of the folder with this listing.
  std::size_t add_root(const ContentRef& listing);
  // Walks all; kInterrupted, or an error of the store that says nothing about an object.
  base::Status run(unsigned threads, const std::stop_token& stop);
  const std::deque<WalkedFolder>& folders() const { return folders_; }

  // Whether each chunk of the folder's listing and files has a copy in a pack that `named` says: the answer where
  // `packs` alone, which knows one copy of each, says no. Reads the folder again.
  base::Result<bool> is_covered(const WalkedFolder& folder, const std::vector<bool>& named);

 private:
  class Lookup;
  void work(const std::stop_token& stop);
  base::Status read(WalkedFolder& folder);
  bool has_good(std::span<const ChunkPlace> copies) const;
  void note_use(WalkedFolder& folder, const std::string& path, std::span<const ChunkPlace> copies) const;
  base::Status read_entries(WalkedFolder& folder, Lookup& lookup);
  std::size_t number_of(const ContentRef& listing, const std::string& path);

  store::Store& store_;
  const ChunkIndex& index_;
  std::vector<bool> bad_;  // by the pack's number in the index
  PackReader reader_;

  std::mutex mutex_;  // guards all below, but for the folders that a thread is reading
  std::condition_variable changed_;
  std::deque<WalkedFolder> folders_;
  std::unordered_map<base::Digest, std::size_t, base::DigestHash> known_;  // by the hash of the listing's content
  std::vector<std::size_t> todo_;
  unsigned busy_ = 0;
  std::optional<base::Error> failure_;
};

}  // namespace kura::archive
