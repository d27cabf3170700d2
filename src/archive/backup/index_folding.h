// Keeping the number of indexes that a snapshot names small, whatever the number of backups before it.
#pragma once

#include <cstddef>
#include <vector>

namespace kura::archive {

inline constexpr std::size_t kMostIndexes = 64;

// `frames`: how many frames each old index lists that the snapshot needs. Which of them to fold into a new one: none up
// to kMostIndexes, else the smallest half, or more until few are left; but none that is large already. Each frame is so
// listed anew a number of times that grows with the logarithm of the number of backups. Pure.
std::vector<std::size_t> indexes_to_fold(const std::vector<std::size_t>& frames);

}  // namespace kura::archive
