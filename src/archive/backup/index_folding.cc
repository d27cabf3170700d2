#include "archive/backup/index_folding.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace kura::archive {
namespace {

constexpr std::size_t kLarge = 100'000;  // frames: reading and writing such an index costs more than naming it

}  // namespace

std::vector<std::size_t> indexes_to_fold(const std::vector<std::size_t>& frames) {
  if (frames.size() <= kMostIndexes) return {};
  std::vector<std::size_t> order(frames.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t index) { return std::pair{frames[index], index}; });
  order.resize(std::max(order.size() / 2, order.size() - kMostIndexes / 2));
  std::erase_if(order, [&](std::size_t index) { return frames[index] >= kLarge; });
  return order;
}

}  // namespace kura::archive
