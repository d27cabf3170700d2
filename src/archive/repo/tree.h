// Reading folders: entries of a listing, and finding a path. Needs the recovery key.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "archive/format/entry.h"
#include "archive/repo/pack_reader.h"

namespace kura::archive {

// Takes the entries of a listing one by one, reading its chunks as it goes: memory for a chunk and an entry.
// Names are checked to rise strictly. Moved, never copied: it has a view of its own bytes.
class ListingReader {
 public:
  ListingReader(ListingReader&&) = default;
  ListingReader& operator=(ListingReader&&) = default;

  using Chunks = std::shared_ptr<const std::vector<ChunkId>>;
  // Gives a chunk of a listing, checked against its id.
  using Fetch = std::function<base::Result<PackReader::Text>(const ChunkId& id)>;
  // Where an entry begins: in which chunk, and how far in it (at its end: with the next chunk).
  struct Position {
    std::size_t chunk, offset;
  };

  static base::Result<ListingReader> open(PackReader& reader, const ContentRef& listing);
  // Of these chunks, by way of a caller's cache. `start` is {0, 0} or what position() once said of the same
  // chunks.
  ListingReader(Fetch fetch, Chunks chunks, Position start)
      : fetch_(std::move(fetch)), chunks_(std::move(chunks)), start_(start), next_chunk_(start.chunk) {}
  // nullopt at the end.
  base::Result<std::optional<Entry>> next();
  // Of the entry that next() gives next.
  Position position() const;

 private:
  base::Result<Entry> take();
  base::Status read_chunk();

  Fetch fetch_;
  Chunks chunks_;
  Position start_{};
  std::size_t next_chunk_ = 0;
  std::size_t last_chunk_size_ = 0;
  base::ByteSpan rest_;     // what was not taken yet, of one of these:
  PackReader::Text chunk_;  // the last chunk; null when it is in pending_
  base::Bytes pending_;     // what an entry has in several chunks, up to the end of the last one
  std::string last_name_;
};

// The entry at an absolute path ("/", "/home/x"); "/" is a made-up folder entry with the root as content.
// kNotFound names the first component that is not there.
base::Result<Entry> find_entry(PackReader& reader, const ContentRef& root, std::string_view path);

// Calls `visit` for every entry below `folder` in depth-first order, a folder before its entries; `path` is absolute.
// `visit` says whether to go into a folder. Damage below a folder is passed to `damaged` and the walk goes on.
enum class Visit { kContinue, kSkipFolder, kStop };
base::Status walk_tree(PackReader& reader, const Entry& folder, const std::string& path,
                       const std::function<base::Result<Visit>(const std::string& path, const Entry&)>& visit,
                       const std::function<void(const std::string& path, const base::Error&)>& damaged);

}  // namespace kura::archive
