#include "archive/repo/chunk_index.h"

#include <algorithm>
#include <bit>
#include <tuple>

#include "archive/format/limits.h"

namespace kura::archive {
namespace {

bool before(const ChunkIndex::Entry& a, const ChunkIndex::Entry& b) {
  return std::tie(a.id, a.place.pack, a.place.frame, a.place.offset) <
         std::tie(b.id, b.place.pack, b.place.frame, b.place.offset);
}

// Where an id would lie among `count` sorted ones if all were evenly spread, which HMACs are.
std::size_t expected_position(const ChunkId& id, std::size_t count) {
  std::uint64_t leading;
  std::memcpy(&leading, id.bytes.data(), sizeof leading);
  if constexpr (std::endian::native == std::endian::little) leading = __builtin_bswap64(leading);
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::size_t>((Wide{leading} * count) >> 64);
}

// The first entry that is not before `id`. Starts where it is expected and doubles its steps, so that evenly spread
// ids are found within a few cache lines, and whatever else somebody made up within 2 log2(n) steps.
std::size_t lower_bound(const std::vector<ChunkIndex::Entry>& entries, const ChunkId& id) {
  std::size_t low = expected_position(id, entries.size());
  std::size_t high = low;
  std::size_t step = 16;
  while (low > 0 && entries[low - 1].id >= id) {
    high = low - 1;
    low = low > step ? low - step : 0;
    step *= 2;
  }
  while (high < entries.size() && entries[high].id < id) {
    low = high + 1;
    high = std::min(entries.size(), high + step);
    step *= 2;
  }
  const auto begin = entries.begin();
  const auto found =
      std::lower_bound(begin + static_cast<std::ptrdiff_t>(low), begin + static_cast<std::ptrdiff_t>(high), id,
                       [](const ChunkIndex::Entry& entry, const ChunkId& value) { return entry.id < value; });
  return static_cast<std::size_t>(found - begin);
}

}  // namespace

void ChunkIndex::add(const store::ObjectId& index_id, const Index& index,
                     const std::function<bool(const store::ObjectId& pack)>& skip) {
  const auto number = static_cast<std::uint32_t>(indexes_.size());
  indexes_.push_back(index_id);
  for (std::uint32_t position = 0; position < index.packs.size(); ++position) {
    const IndexedPack& pack = index.packs[position];
    if ((skip && skip(pack.id)) || !pack_ids_.insert(pack.id).second) continue;
    packs_.push_back({.id = pack.id, .size = pack.size, .index = number, .position = position, .frames = {}});
    add_record(pack.record);
  }
}

void ChunkIndex::add_pack(const store::ObjectId& id, std::uint64_t size, const PackRecord& record) {
  if (!pack_ids_.insert(id).second) return;
  packs_.push_back({.id = id, .size = size, .index = kNoIndex, .position = 0, .frames = {}});
  add_record(record);
}

// Of the pack that was added last.
void ChunkIndex::add_record(const PackRecord& record) {
  Pack& pack = packs_.back();
  const auto pack_number = static_cast<std::uint32_t>(packs_.size() - 1);
  pack.frames.reserve(record.frames.size());
  std::uint64_t frame_offset = kPackHeaderSize;
  for (std::uint32_t number = 0; number < record.frames.size(); ++number) {
    const FrameRecord& frame = record.frames[number];
    std::uint32_t offset = 0;
    for (const ChunkEntry& chunk : frame.chunks) {
      entries_.push_back({chunk.id, {.pack = pack_number, .frame = number, .offset = offset, .size = chunk.size}});
      offset += chunk.size;
    }
    pack.frames.push_back({.offset = frame_offset,
                           .sealed_size = frame.sealed_size,
                           .text_size = offset,
                           .compression = frame.compression});
    frame_offset += frame.sealed_size;
  }
}

void ChunkIndex::finish() { std::ranges::sort(entries_, before); }

std::span<const ChunkIndex::Entry> ChunkIndex::copies(const ChunkId& id) const {
  const std::size_t first = lower_bound(entries_, id);
  std::size_t end = first;
  while (end < entries_.size() && entries_[end].id == id) ++end;
  return std::span(entries_).subspan(first, end - first);
}

std::optional<ChunkPlace> ChunkIndex::find(const ChunkId& id) const {
  const std::size_t position = lower_bound(entries_, id);
  if (position == entries_.size() || entries_[position].id != id) return std::nullopt;
  return entries_[position].place;
}

bool ChunkIndex::has_pack(const store::ObjectId& id) const { return pack_ids_.contains(id); }

}  // namespace kura::archive
