#include "detect/stats/byte_counts.h"

#include <algorithm>

namespace kura::detect {
namespace {

constexpr double kMean = 255;
constexpr double kDeviation = 22.6;
constexpr std::uint64_t kLeast = 256;
constexpr std::size_t kSmall = 2048;  // for fewer bytes, more tables cost more than they save

}  // namespace

void ByteCounts::add(base::ByteSpan bytes) {
  total_ += bytes.size();
  if (bytes.size() < kSmall) {
    for (const std::uint8_t byte : bytes) ++counts_[byte];
    return;
  }
  // Four tables: equal bytes in a row would else wait for each other's store.
  std::array<std::array<std::uint32_t, 256>, 4> parts{};
  const std::size_t fours = bytes.size() / 4 * 4;
  for (std::size_t i = 0; i < fours; i += 4) {
    ++parts[0][bytes[i]];
    ++parts[1][bytes[i + 1]];
    ++parts[2][bytes[i + 2]];
    ++parts[3][bytes[i + 3]];
  }
  for (std::size_t i = fours; i < bytes.size(); ++i) ++parts[0][bytes[i]];
  for (std::size_t value = 0; value < 256; ++value) {
    counts_[value] += parts[0][value] + parts[1][value] + parts[2][value] + parts[3][value];
  }
}

void ByteCounts::add(const ByteCounts& more) {
  total_ += more.total_;
  for (std::size_t value = 0; value < 256; ++value) counts_[value] += more.counts_[value];
}

unsigned ByteCounts::distinct() const {
  return static_cast<unsigned>(std::ranges::count_if(counts_, [](std::uint32_t count) { return count > 0; }));
}

double ByteCounts::chi_square() const {
  if (total_ == 0) return 0;
  double squares = 0;
  for (const std::uint32_t count : counts_) squares += static_cast<double>(count) * count;
  const auto total = static_cast<double>(total_);
  return squares * 256 / total - total;
}

bool ByteCounts::looks_random() const {
  if (total_ < kLeast) return false;
  const double found = chi_square();
  return found > kMean - 5 * kDeviation && found < kMean + 5 * kDeviation;
}

}  // namespace kura::detect
