#include "archive/backup/chunker.h"

#include <algorithm>
#include <bit>

namespace kura::archive {
namespace {

constexpr std::size_t kWindow = 64;  // bytes that the hash depends on: each shift pushes out what is older

std::uint64_t top_bits(int count) { return count <= 0 ? 0 : ~std::uint64_t{0} << (64 - std::min(count, 63)); }

}  // namespace

Chunker::Chunker(const ChunkerParameters& parameters, const GearTable& gear)
    : gear_(gear), least_(parameters.least), average_(parameters.average), most_(parameters.most) {
  const int bits = std::countr_zero(parameters.average);
  hard_mask_ = top_bits(bits + parameters.normalisation);
  easy_mask_ = top_bits(bits - parameters.normalisation);
}

bool Chunker::roll(base::ByteSpan bytes, std::size_t end, std::uint64_t mask, Search& search) const {
  const std::uint8_t* data = bytes.data();
  std::uint64_t hash = search.hash;
  std::size_t position = search.position;
  while (position < end) {
    hash = (hash << 1) + gear_[data[position++]];
    if ((hash & mask) == 0) {
      search = {position, hash};
      return true;
    }
  }
  search = {position, hash};
  return false;
}

std::optional<std::size_t> Chunker::next_cut(base::ByteSpan available, bool at_end, Search& search) const {
  const std::size_t end = std::min(available.size(), most_);
  if (end > least_) {
    if (search.position < least_) {
      // No cut can lie before `least`, so only the window before it is hashed.
      search = {least_ - std::min(least_, kWindow), 0};
      while (search.position < least_) search.hash = (search.hash << 1) + gear_[available[search.position++]];
    }
    const std::size_t middle = std::clamp(average_, least_, end);
    if (search.position < middle && roll(available, middle, hard_mask_, search)) return search.position;
    if (roll(available, end, easy_mask_, search)) return search.position;
  }
  if (end == most_ || at_end) return end;
  return std::nullopt;
}

}  // namespace kura::archive
