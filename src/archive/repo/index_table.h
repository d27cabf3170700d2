// What one index object says, sorted by chunk id for searching: in memory, or in a file of the machine's state that is
// read page by page (page_file.h).
//
//   head | packs | frames | prefixes | chunks        each begins on a page of its own; integers as this machine has
//   them head:     magic "KURATABL", u16 version, config id, index id, u64 size of the index object, u32 packs, frames,
//   chunks a pack:   id, u64 size, u32 number of its first frame in the table a frame:  u32 offset in the pack, u32
//   sealed size with compression in the highest bit, u32 text size a prefix: u32, the first four bytes of a chunk's id
//   as a number, in the order of the chunks a chunk:  id, u32 frame in the table, u32 offset in the opened frame, u32
//   size; by id, then by frame and offset
//
// A search goes to where the id would be expected, since ids are evenly spread, and touches one or two pages of
// prefixes; only where a prefix is equal, the chunk's own page, where the whole id is compared. Size: 48.5 bytes a
// chunk. Memory: what page_file.h keeps, and 48 bytes a pack.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "archive/format/index.h"
#include "archive/repo/page_file.h"

namespace kura::archive {

// What is needed to read a frame.
struct FramePlace {
  std::uint64_t offset = 0;  // in the pack object
  std::uint32_t sealed_size = 0;
  std::uint32_t text_size = 0;
  Compression compression = Compression::kNone;
};

// Which index, of which repository, a table is of.
struct TableName {
  store::ObjectId config, index;
  std::uint64_t size = 0;  // of the index object

  friend bool operator==(const TableName&, const TableName&) = default;
};

// Thread-safe, but for set_budget().
class IndexTable {
 public:
  struct Pack {
    store::ObjectId id;
    std::uint64_t size = 0;
    std::uint32_t first_frame = 0;
  };
  struct Chunk {
    ChunkId id;
    std::uint32_t frame = 0;  // number in the table
    std::uint32_t offset = 0;
    std::uint32_t size = 0;
  };
  using Keep = PageFile::Keep;

  // The bytes of a table: always the same for the same arguments.
  static base::RawBuffer encode(const TableName& name, std::span<const IndexedPack> packs);
  // Null when the pages are not a table of this name.
  static std::shared_ptr<IndexTable> open(std::unique_ptr<PageFile> pages, const TableName& name);
  // In memory.
  static std::shared_ptr<IndexTable> of(std::span<const IndexedPack> packs);

  void set_budget(std::shared_ptr<PageBudget> budget) { pages_->set_budget(std::move(budget)); }

  const std::vector<Pack>& packs() const { return packs_; }
  std::uint32_t chunks() const { return chunks_; }
  std::uint32_t frames_of(std::uint32_t pack) const;
  // The number of the pack that has the frame.
  std::uint32_t pack_of(std::uint32_t frame) const;
  // Of a frame below those of the last pack. What is damaged and lost is an impossible frame, without bytes.
  FramePlace frame(std::uint32_t number) const;
  // Of a number below chunks(). Nothing where it is damaged and lost.
  std::optional<Chunk> chunk(std::uint32_t number) const;
  // Calls `visit` for each entry of `id`, in order, until it says false.
  void find(const ChunkId& id, const std::function<bool(const Chunk& chunk)>& visit) const;
  // Calls `visit` with each run of prefixes, in order, and the number of its first. None of their pages is kept.
  void each_prefix(const std::function<void(std::uint32_t first, std::span<const std::uint32_t> run)>& visit) const;

  static std::uint32_t prefix_of(const ChunkId& id);

 private:
  IndexTable() = default;
  bool read_head(const TableName& name);
  bool read_packs();
  std::optional<std::uint32_t> prefix(std::uint32_t number) const;
  std::uint32_t first_not_below(std::uint32_t prefix) const;

  std::unique_ptr<PageFile> pages_;
  std::uint32_t frames_ = 0, chunks_ = 0;
  std::size_t first_frame_page_ = 0, first_prefix_page_ = 0, first_chunk_page_ = 0;
  std::vector<Pack> packs_;
};

}  // namespace kura::archive
