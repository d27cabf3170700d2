// In which pack, and where in it, each chunk lies: loaded from index objects.
//
// Memory: a sorted table of about 48 bytes a chunk. Read-only after load(), so threads may share it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

#include "archive/repo/repository.h"

namespace kura::archive {

struct ChunkPlace {
  std::uint32_t pack = 0;    // number of the pack in this ChunkIndex
  std::uint32_t frame = 0;   // number of the frame in the pack
  std::uint32_t offset = 0;  // in the opened frame
  std::uint32_t size = 0;

  friend bool operator==(const ChunkPlace&, const ChunkPlace&) = default;
};

// What is needed to read a frame: kept once a frame, not once a chunk.
struct FramePlace {
  std::uint64_t offset = 0;  // in the pack object
  std::uint32_t sealed_size = 0;
  std::uint32_t text_size = 0;
  Compression compression = Compression::kNone;
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
    std::vector<FramePlace> frames;
  };
  static constexpr std::uint32_t kNoIndex = 0xffffffff;

  ChunkIndex() = default;
  // Adds the packs of an index object, but for those that `skip` says and those that are there already.
  void add(const store::ObjectId& index_id, const Index& index,
           const std::function<bool(const store::ObjectId& pack)>& skip = {});
  // Adds one pack known by its footer (kNoIndex).
  void add_pack(const store::ObjectId& id, std::uint64_t size, const PackRecord& record);
  // Says that the repository has indexes that are not in here, which may know other copies of a chunk.
  void set_partial() { is_partial_ = true; }
  // Call once after the last add(): sorts. find() works from here on.
  void finish();

  struct Entry {
    ChunkId id;
    ChunkPlace place;
  };
  // The first place that was added.
  std::optional<ChunkPlace> find(const ChunkId& id) const;
  // All places, the first one first: a chunk may have been stored twice, and one copy may be damaged.
  std::span<const Entry> copies(const ChunkId& id) const;
  // All copies of all chunks, those of one chunk side by side.
  std::span<const Entry> entries() const { return entries_; }
  const std::vector<Pack>& packs() const { return packs_; }
  const std::vector<store::ObjectId>& indexes() const { return indexes_; }
  bool has_pack(const store::ObjectId& id) const;
  bool is_partial() const { return is_partial_; }
  std::size_t chunk_count() const { return entries_.size(); }

 private:
  void add_record(const PackRecord& record);

  std::vector<Entry> entries_;  // after finish(): sorted by id, then by place
  std::vector<Pack> packs_;
  std::vector<store::ObjectId> indexes_;
  std::unordered_set<store::ObjectId, base::DigestHash> pack_ids_;
  bool is_partial_ = false;
};

// The indexes that one snapshot names, and no more (partial). Needs the catalog key. When one of them is damaged or
// missing, which is told through `damaged`: all indexes of the repository, and the footers of the packs that none lists
// (docs/format.md, section 6); so are the packs whose footer does not tell. What stays unknown shows when its chunks
// are asked for.
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
