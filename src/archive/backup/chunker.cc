#include "archive/backup/chunker.h"

#include <algorithm>
#include <array>
#include <bit>

namespace kura::archive {
namespace {

constexpr std::size_t kWindow = 64;  // bytes that the hash depends on: each shift pushes out what is older
constexpr std::size_t kStreams = 2;
constexpr std::size_t kStride = 1024;  // bytes of each

std::uint64_t top_bits(int count) { return count <= 0 ? 0 : ~std::uint64_t{0} << (64 - std::min(count, 63)); }

}  // namespace

Chunker::Chunker(const ChunkerParameters& parameters, const GearTable& gear)
    : gear_(gear), least_(parameters.least), average_(parameters.average), most_(parameters.most) {
  const int bits = std::countr_zero(parameters.average);
  hard_mask_ = top_bits(bits + parameters.normalisation);
  easy_mask_ = top_bits(bits - parameters.normalisation);
}

bool Chunker::roll(base::ByteSpan bytes, std::size_t end, std::uint64_t mask, Search& search) const {
  while (end - search.position >= kStreams * kStride && search.position >= kWindow) {
    if (roll_streams(bytes.data(), mask, search)) return true;
  }
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

// One stream is bound by the latency of shift and add, so several stretches that follow one another are rolled side by
// side. The hash depends on a window only, so each can begin with the window before it, and finds the same cuts.
bool Chunker::roll_streams(const std::uint8_t* data, std::uint64_t mask, Search& search) const {
  std::array<std::uint64_t, kStreams> hash{search.hash};
  for (std::size_t i = 1; i < kStreams; ++i) {
    const std::uint8_t* const begin = data + search.position + i * kStride;
    for (const std::uint8_t* at = begin - kWindow; at < begin; ++at) hash[i] = (hash[i] << 1) + gear_[*at];
  }
  std::array<Search, kStreams> found{};
  const std::uint8_t* const first = data + search.position;
  for (std::size_t k = 0; k < kStride; ++k) {
    bool any = false;
    for (std::size_t i = 0; i < kStreams; ++i) {
      hash[i] = (hash[i] << 1) + gear_[first[i * kStride + k]];
      any |= (hash[i] & mask) == 0;
    }
    if (!any) [[likely]]
      continue;
    for (std::size_t i = 0; i < kStreams; ++i) {
      const bool is_first = found[i].position == 0 && (hash[i] & mask) == 0;
      if (is_first) found[i] = {search.position + i * kStride + k + 1, hash[i]};
    }
    if (found[0].position != 0) break;  // no later one of the others can be before it
  }
  for (const Search& cut : found) {
    if (cut.position == 0) continue;
    search = cut;
    return true;
  }
  search = {search.position + kStreams * kStride, hash.back()};
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
