// In which pack, and where in it, each chunk lies: by the tables of index objects (index_table.h).
//
// A look-up asks table after table, about 0.2 us each. Jobs that look up most chunks of a repository say so to
// finish(), and a look-up then costs about as much as one table (chunk_directory.h). Whole ids are compared before a
// place is given.
//
// Memory: where the tables are files, at most 12 bytes a chunk, or 64 MiB in all, and about 80 bytes a pack; where they
// are in memory, 49 bytes a chunk. Read-only after finish(), so threads may share it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_set>
#include <vector>

#include "archive/repo/chunk_directory.h"
#include "archive/repo/index_table.h"
#include "archive/repo/repository.h"

namespace kura::archive {

struct ChunkPlace {
  std::uint32_t pack = 0;    // number of the pack in this ChunkIndex
  std::uint32_t frame = 0;   // number of the frame in the pack
  std::uint32_t offset = 0;  // in the opened frame
  std::uint32_t size = 0;

  friend auto operator<=>(const ChunkPlace&, const ChunkPlace&) = default;
};

class ChunkIndex {
 public:
  struct Pack {
    store::ObjectId id;
    std::uint64_t size = 0;
    // Where it is listed: the number of the index in indexes() and the pack's number in that index. For the needs of
    // a snapshot. kNoIndex for a pack that was added by its footer and is in no index yet.
    std::uint32_t index = 0;
    std::uint32_t position = 0;
    std::uint32_t frames = 0;  // how many it has
  };
  static constexpr std::uint32_t kNoIndex = 0xffffffff;
  using Skip = std::function<bool(const store::ObjectId& pack)>;
  enum class LookUps { kSome, kMost };  // of all chunks

  ChunkIndex() = default;
  // Adds the packs of an index object, but for those that `skip` says and those that are there already.
  void add(const store::ObjectId& index_id, std::shared_ptr<IndexTable> table, const Skip& skip = {});
  void add(const store::ObjectId& index_id, const Index& index, const Skip& skip = {});
  // Adds one pack known by its footer (kNoIndex).
  void add_pack(const store::ObjectId& id, std::uint64_t size, const PackRecord& record);
  // Says that the repository has indexes that are not in here, which may know other copies of a chunk.
  void set_partial() { is_partial_ = true; }
  // Call once after the last add(). find() works from here on.
  void finish(LookUps expected = LookUps::kSome);

  // The first place that was added.
  std::optional<ChunkPlace> find(const ChunkId& id) const;
  // All places, the first one first: a chunk may have been stored twice, and one copy may be damaged.
  std::vector<ChunkPlace> copies(const ChunkId& id) const;
  // Calls `visit` with every copy of every chunk, those of one table in the order of their ids. Reads all tables.
  void each_chunk(const std::function<void(const ChunkId& id, const ChunkPlace& place)>& visit) const;
  // Frame `number` of a pack of packs(), below its `frames`. Sizes may be impossible where a table is damaged and its
  // index object cannot be read.
  FramePlace frame(std::uint32_t pack, std::uint32_t number) const;
  const std::vector<Pack>& packs() const { return packs_; }
  const std::vector<store::ObjectId>& indexes() const { return indexes_; }
  bool has_pack(const store::ObjectId& id) const { return pack_ids_.contains(id); }
  bool is_partial() const { return is_partial_; }
  // Copies included, and those of packs that were left out.
  std::size_t chunk_count() const;

 private:
  // Where the frames of a pack of packs() are.
  struct Origin {
    std::uint32_t table = 0;
    std::uint32_t first_frame = 0;
  };
  static constexpr std::uint32_t kLeftOut = 0xffffffff;

  void add_table(std::shared_ptr<IndexTable> table, std::uint32_t index, const Skip& skip);
  void add_loose();
  std::optional<ChunkPlace> place_of(std::size_t table, const IndexTable::Chunk& chunk) const;
  bool ask_directory(const ChunkId& id, const std::function<void(const ChunkPlace& place)>& visit) const;

  std::vector<std::shared_ptr<IndexTable>> tables_;
  std::vector<std::vector<std::uint32_t>> numbers_;  // by table and the pack's number in it: its number in packs_
  std::vector<Pack> packs_;
  std::vector<Origin> origins_;  // as packs_
  std::vector<store::ObjectId> indexes_;
  std::unordered_set<store::ObjectId, base::DigestHash> pack_ids_;
  std::vector<IndexedPack> loose_;  // known by their footers, and in no table yet
  std::unique_ptr<const ChunkDirectory> directory_;
  bool is_partial_ = false;
};

// The indexes that one snapshot names, and no more (partial). Needs the catalog key. When one of them is damaged or
// missing, which is told through `damaged`: all indexes of the repository, and the footers of the packs that none lists
// (docs/format.md, section 6); so are the packs whose footer does not tell. What stays unknown shows when its chunks
// are asked for. `repository` outlives the index, here and below.
base::Result<ChunkIndex> load_index(const Repository& repository, const StoredSnapshot& snapshot,
                                    std::vector<DamagedObject>& damaged);
// What there is besides `known`: packs that other indexes of the repository list, and those that none lists, by their
// footers. Packs that are gone are left out, and so is what is damaged.
base::Result<ChunkIndex> load_other_indexes(const Repository& repository, const ChunkIndex& known);
// Of the whole repository; damaged indexes are reported through `damaged` and left out.
base::Result<ChunkIndex> load_all_indexes(const Repository& repository, std::vector<DamagedObject>& damaged);
// A pack's record from its own footer: three reads.
base::Result<PackRecord> read_footer(const Repository& repository, const store::ObjectInfo& pack);

}  // namespace kura::archive
