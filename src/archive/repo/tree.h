// Reading folders: entries of a listing, and finding a path. Needs the recovery key.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "archive/format/entry.h"
#include "archive/repo/pack_reader.h"

namespace kura::archive {

// Takes the entries of a listing one by one, reading its chunks as it goes: memory for a chunk and an entry.
// Names are checked to rise strictly.
class ListingReader {
 public:
  static base::Result<ListingReader> open(PackReader& reader, const ContentRef& listing);
  // nullopt at the end.
  base::Result<std::optional<Entry>> next();

 private:
  ListingReader(PackReader& reader, std::vector<ChunkId> chunks) : reader_(&reader), chunks_(std::move(chunks)) {}
  base::Result<Entry> take(base::ByteSpan rest);
  base::Status fetch();

  PackReader* reader_;
  std::vector<ChunkId> chunks_;
  std::size_t next_chunk_ = 0;
  base::Bytes pending_;
  std::size_t consumed_ = 0;
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
