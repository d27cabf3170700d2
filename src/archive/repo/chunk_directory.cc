#include "archive/repo/chunk_directory.h"

#include <algorithm>
#include <bit>
#include <memory>

namespace kura::archive {
namespace {

constexpr std::uint64_t kInBucket = 16;     // about: two lines of the processor's cache
constexpr std::size_t kMostInBucket = 256;  // ids are evenly spread, so only made-up ones are more

}  // namespace

std::unique_ptr<const ChunkDirectory> ChunkDirectory::make(std::span<const std::shared_ptr<IndexTable>> tables) {
  std::unique_ptr<ChunkDirectory> made(new ChunkDirectory);
  std::uint64_t chunks = 0;
  for (const auto& table : tables) {
    made->first_chunk_.push_back(static_cast<std::uint32_t>(chunks));
    chunks += table->chunks();
    if (chunks > UINT32_MAX) return nullptr;
  }
  const auto bits = static_cast<unsigned>(std::bit_width(chunks / kInBucket));
  made->shift_ = 32 - bits;
  // First how many each bucket has, then where each begins; filling moves these to where each ends.
  std::vector<std::uint32_t>& at = made->ends_;
  at.resize((std::size_t{1} << bits) + 1);
  for (const auto& table : tables) {
    table->each_prefix([&](std::uint32_t, std::span<const std::uint32_t> run) {
      for (const std::uint32_t prefix : run) ++at[made->bucket_of(prefix) + 1];
    });
  }
  for (std::size_t bucket = 1; bucket < at.size(); ++bucket) at[bucket] += at[bucket - 1];
  const std::uint32_t readable = at.back();
  made->places_.reserve(readable * sizeof(Place));
  auto* const places = reinterpret_cast<Place*>(made->places_.spare().data());
  std::uninitialized_fill_n(places, readable, Place{});
  for (std::size_t number = 0; number < tables.size(); ++number) {
    tables[number]->each_prefix([&](std::uint32_t first, std::span<const std::uint32_t> run) {
      for (std::uint32_t i = 0; i < run.size(); ++i) {
        const std::uint32_t place = at[made->bucket_of(run[i])]++;
        if (place >= readable) return;  // a page could be read now, and not before
        places[place] = {.prefix = run[i], .number = made->first_chunk_[number] + first + i};
      }
    });
  }
  made->places_.add(readable * sizeof(Place));
  return made;
}

std::span<const ChunkDirectory::Place> ChunkDirectory::bucket(std::size_t number) const {
  const std::uint32_t begin = number == 0 ? 0 : ends_[number - 1];
  const auto* const places = reinterpret_cast<const Place*>(places_.span().data());
  return {places + begin, places + ends_[number]};
}

bool ChunkDirectory::find(const ChunkId& id,
                          const std::function<void(std::uint32_t table, std::uint32_t chunk)>& visit) const {
  const std::uint32_t wanted = IndexTable::prefix_of(id);
  const std::span<const Place> places = bucket(bucket_of(wanted));
  if (places.size() > kMostInBucket) return false;
  for (const Place& place : places) {
    if (place.prefix != wanted) continue;
    const auto after = std::ranges::upper_bound(first_chunk_, place.number);
    const auto table = static_cast<std::uint32_t>(after - first_chunk_.begin() - 1);
    visit(table, place.number - first_chunk_[table]);
  }
  return true;
}

}  // namespace kura::archive
