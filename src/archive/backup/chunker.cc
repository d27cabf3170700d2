#include "archive/backup/chunker.h"

#include <algorithm>
#include <bit>

namespace kura::archive {
namespace {

constexpr std::size_t kWindow = 64;   // bytes that the gear hash depends on: each shift pushes out what is older
constexpr int kMostScannedBits = 12;  // a look at the gear hash every 4 KiB costs next to nothing

std::uint64_t top_bits(int count) { return count <= 0 ? 0 : ~std::uint64_t{0} << (64 - std::min(count, 63)); }

int easy_bits(const ChunkerParameters& parameters) {
  return std::countr_zero(parameters.average) - parameters.normalisation;
}

int scanned_bits(const ChunkerParameters& parameters) { return std::clamp(easy_bits(parameters), 1, kMostScannedBits); }

}  // namespace

Chunker::Chunker(const ChunkerParameters& parameters, const GearTable& gear, WindowScan::Code code)
    : gear_(gear),
      algorithm_(parameters.algorithm),
      least_(parameters.least),
      average_(parameters.average),
      most_(parameters.most),
      window_scan_(gear, scanned_bits(parameters), code) {
  const int scanned = algorithm_ == kGearChunks ? 0 : scanned_bits(parameters);
  hard_mask_ = top_bits(easy_bits(parameters) + 2 * parameters.normalisation - scanned);
  easy_mask_ = top_bits(easy_bits(parameters) - scanned);
}

bool Chunker::roll(base::ByteSpan bytes, std::size_t end, std::uint64_t mask, Search& search) const {
  while (search.position < end) {
    search.hash = (search.hash << 1) + gear_[bytes[search.position++]];
    if ((search.hash & mask) == 0) return true;
  }
  return false;
}

bool Chunker::scan(base::ByteSpan bytes, std::size_t end, std::uint64_t mask, Search& search) const {
  while (search.position < end) {
    std::size_t next = search.position;
    if (search.position >= kWindow) {
      const std::uint8_t* const found = window_scan_.find(bytes.data() + search.position, bytes.data() + end);
      if (found == nullptr) {
        search.position = end;
        return false;
      }
      next = static_cast<std::size_t>(found - bytes.data()) - 1;
    }
    // Places that lie close together, as in a run of equal bytes, are not each looked for anew.
    search.position = next;
    if (roll_both(bytes, std::min(end, next + kWindow), mask, search)) return true;
  }
  return false;
}

bool Chunker::roll_both(base::ByteSpan bytes, std::size_t end, std::uint64_t mask, Search& search) const {
  std::uint64_t gear = 0;
  std::uint16_t window = 0;
  const auto take = [&](std::uint8_t byte) {
    gear = (gear << 1) + gear_[byte];
    window = window_scan_.roll(window, byte);
  };
  const std::size_t before = search.position - std::min(search.position, kWindow);  // a chunk's hashes begin with it
  for (std::size_t at = before; at < search.position; ++at) take(bytes[at]);
  while (search.position < end) {
    take(bytes[search.position++]);
    if (window_scan_.is_wanted(window) && (gear & mask) == 0) return true;
  }
  return false;
}

bool Chunker::look(base::ByteSpan bytes, std::size_t end, std::uint64_t mask, Search& search) const {
  return algorithm_ == kGearChunks ? roll(bytes, end, mask, search) : scan(bytes, end, mask, search);
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
    if (search.position < middle && look(available, middle, hard_mask_, search)) return search.position;
    if (look(available, end, easy_mask_, search)) return search.position;
  }
  if (end == most_ || at_end) return end;
  return std::nullopt;
}

}  // namespace kura::archive
