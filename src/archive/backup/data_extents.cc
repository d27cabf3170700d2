#include "archive/backup/data_extents.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace kura::archive {
namespace {

constexpr std::size_t kMostExtents = 1U << 20;

}  // namespace

std::optional<std::vector<Extent>> find_data_extents(int fd, const struct stat& status) {
  const off_t size = status.st_size;
  if (status.st_blocks * 512 >= size) return std::nullopt;
  std::vector<Extent> extents;
  off_t end = 0;  // of the extent before
  while (end < size) {
    off_t data = ::lseek(fd, end, SEEK_DATA);
    if (data < 0 && errno != ENXIO) return std::nullopt;
    if (data < 0 || data >= size) break;  // a hole up to the end
    data = std::max(data, end);
    off_t hole = ::lseek(fd, data, SEEK_HOLE);
    if (hole < 0 && errno != ENXIO) return std::nullopt;
    if (hole < 0 || hole > size) hole = size;
    if (hole <= data) return std::nullopt;  // it is being changed
    extents.push_back({.gap = static_cast<std::uint64_t>(data - end), .size = static_cast<std::uint64_t>(hole - data)});
    if (extents.size() > kMostExtents) return std::nullopt;
    end = hole;
  }
  const bool all_data = extents.size() == 1 && extents[0].gap == 0 && end == size;
  if (all_data) return std::nullopt;
  return extents;
}

}  // namespace kura::archive
