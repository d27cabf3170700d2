// A folder's listing, made fit for questions in any order: the entry of a name, and the entries from a given one on.
// The listing itself stays in the store and in ChunkSource's cache; here is only where every 32nd entry begins.
//
// Memory: about 2 bytes an entry, once a name was looked for. Thread-safe.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/repo/tree.h"

namespace kura::mount {

class Folder {
 public:
  using Fetch = archive::ListingReader::Fetch;

  // `chunks` are those of the listing.
  explicit Folder(std::vector<archive::ChunkId> chunks)
      : chunks_(std::make_shared<const std::vector<archive::ChunkId>>(std::move(chunks))) {}

  // nullopt when there is none of that name. The first call reads the whole listing, further ones at most 32 entries.
  base::Result<std::optional<archive::Entry>> find(std::string_view name, const Fetch& fetch);
  // Reads from entry `number` on, from 0: gives a reader whose next entry that is. Past the end it gives nothing.
  base::Result<archive::ListingReader> from(std::uint64_t number, const Fetch& fetch) const;

 private:
  // Where entry number i * kEntriesPerMark begins.
  struct Mark {
    std::string name;
    archive::ListingReader::Position position;
  };
  static constexpr std::size_t kEntriesPerMark = 32;

  base::Status set_marks(const Fetch& fetch);
  std::optional<archive::ListingReader::Position> mark_before(std::string_view name) const;

  const archive::ListingReader::Chunks chunks_;
  mutable std::mutex mutex_;  // guards what follows
  bool is_marked_ = false;
  std::vector<Mark> marks_;
};

}  // namespace kura::mount
