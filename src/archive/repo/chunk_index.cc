#include "archive/repo/chunk_index.h"

#include <algorithm>
#include <utility>

namespace kura::archive {
namespace {

// Of memory: what every index may use, and what a large one may for each chunk, the directory included.
constexpr std::int64_t kFreeBytes = 64 << 20;
constexpr std::int64_t kDirectoryBytes = 9;
constexpr std::int64_t kKeptBytes = 3;

}  // namespace

void ChunkIndex::add(const store::ObjectId& index_id, std::shared_ptr<IndexTable> table, const Skip& skip) {
  add_loose();
  indexes_.push_back(index_id);
  add_table(std::move(table), static_cast<std::uint32_t>(indexes_.size() - 1), skip);
}

void ChunkIndex::add(const store::ObjectId& index_id, const Index& index, const Skip& skip) {
  add(index_id, IndexTable::of(index.packs), skip);
}

void ChunkIndex::add_pack(const store::ObjectId& id, std::uint64_t size, const PackRecord& record) {
  if (pack_ids_.insert(id).second) loose_.push_back({.id = id, .size = size, .record = record});
}

void ChunkIndex::add_loose() {
  if (loose_.empty()) return;
  const std::vector<IndexedPack> loose = std::exchange(loose_, {});
  for (const IndexedPack& pack : loose) pack_ids_.erase(pack.id);  // add_table() puts them back
  add_table(IndexTable::of(loose), kNoIndex, {});
}

void ChunkIndex::add_table(std::shared_ptr<IndexTable> table, std::uint32_t index, const Skip& skip) {
  std::vector<std::uint32_t> numbers(table->packs().size(), kLeftOut);
  for (std::uint32_t position = 0; position < numbers.size(); ++position) {
    const IndexTable::Pack& pack = table->packs()[position];
    if ((skip && skip(pack.id)) || !pack_ids_.insert(pack.id).second) continue;
    numbers[position] = static_cast<std::uint32_t>(packs_.size());
    packs_.push_back({.id = pack.id,
                      .size = pack.size,
                      .index = index,
                      .position = index == kNoIndex ? 0 : position,
                      .frames = table->frames_of(position)});
    origins_.push_back({.table = static_cast<std::uint32_t>(tables_.size()), .first_frame = pack.first_frame});
  }
  const bool is_of_use = std::ranges::any_of(numbers, [](std::uint32_t number) { return number != kLeftOut; });
  if (!is_of_use) return;
  tables_.push_back(std::move(table));
  numbers_.push_back(std::move(numbers));
}

void ChunkIndex::finish(LookUps expected) {
  add_loose();
  const bool has_directory = expected == LookUps::kMost && tables_.size() > 1;
  const auto chunks = static_cast<std::int64_t>(chunk_count());
  const std::int64_t directory = has_directory ? kDirectoryBytes * chunks : 0;
  const auto budget = std::make_shared<PageBudget>(std::max(kFreeBytes - directory, kKeptBytes * chunks));
  for (const auto& table : tables_) table->set_budget(budget);
  if (has_directory) directory_ = ChunkDirectory::make(tables_);
}

std::size_t ChunkIndex::chunk_count() const {
  std::size_t count = 0;
  for (const auto& table : tables_) count += table->chunks();
  return count;
}

FramePlace ChunkIndex::frame(std::uint32_t pack, std::uint32_t number) const {
  const Origin& origin = origins_[pack];
  return tables_[origin.table]->frame(origin.first_frame + number);
}

// Nothing for a pack that was left out.
std::optional<ChunkPlace> ChunkIndex::place_of(std::size_t table, const IndexTable::Chunk& chunk) const {
  const std::uint32_t pack = numbers_[table][tables_[table]->pack_of(chunk.frame)];
  if (pack == kLeftOut) return std::nullopt;
  return ChunkPlace{
      .pack = pack, .frame = chunk.frame - origins_[pack].first_frame, .offset = chunk.offset, .size = chunk.size};
}

// Calls `visit` with each place, in no order. False when the tables have to be asked.
bool ChunkIndex::ask_directory(const ChunkId& id, const std::function<void(const ChunkPlace& place)>& visit) const {
  return directory_ != nullptr && directory_->find(id, [&](std::uint32_t table, std::uint32_t number) {
    const std::optional<IndexTable::Chunk> chunk = tables_[table]->chunk(number);
    if (!chunk || chunk->id != id) return;
    if (const auto place = place_of(table, *chunk)) visit(*place);
  });
}

std::vector<ChunkPlace> ChunkIndex::copies(const ChunkId& id) const {
  std::vector<ChunkPlace> places;
  if (!ask_directory(id, [&](const ChunkPlace& place) { places.push_back(place); })) {
    for (std::size_t table = 0; table < tables_.size(); ++table) {
      tables_[table]->find(id, [&](const IndexTable::Chunk& chunk) {
        if (const auto place = place_of(table, chunk)) places.push_back(*place);
        return true;
      });
    }
  }
  std::ranges::sort(places);
  return places;
}

// Packs have rising numbers from table to table, and within one, so the first that is met is the first that was added.
std::optional<ChunkPlace> ChunkIndex::find(const ChunkId& id) const {
  std::optional<ChunkPlace> first;
  const bool asked = ask_directory(id, [&](const ChunkPlace& place) {
    if (!first || place < *first) first = place;
  });
  for (std::size_t table = 0; !asked && !first && table < tables_.size(); ++table) {
    tables_[table]->find(id, [&](const IndexTable::Chunk& chunk) {
      first = place_of(table, chunk);
      return !first.has_value();
    });
  }
  return first;
}

void ChunkIndex::each_chunk(const std::function<void(const ChunkId& id, const ChunkPlace& place)>& visit) const {
  for (std::size_t table = 0; table < tables_.size(); ++table) {
    for (std::uint32_t number = 0; number < tables_[table]->chunks(); ++number) {
      const std::optional<IndexTable::Chunk> chunk = tables_[table]->chunk(number);
      if (!chunk) continue;
      if (const auto place = place_of(table, *chunk)) visit(chunk->id, *place);
    }
  }
}

}  // namespace kura::archive
