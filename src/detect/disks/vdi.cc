#include <string>

#include "detect/disks/disk_images.h"

namespace kura::detect::disks {

bool is_vdi(Window& in) { return in.little32(64) == 0xbeda107f; }

Report check_vdi(Window& in, Budget& budget) {
  const std::uint64_t map = in.little32(0x154).value_or(0);
  const std::uint64_t data = in.little32(0x158).value_or(0);
  const std::uint64_t block = in.little32(0x178).value_or(0);
  const std::uint64_t count = in.little32(0x180).value_or(0);
  const std::uint64_t used = in.little32(0x184).value_or(0);
  if (block < 4096 || (block & (block - 1)) != 0 || used > count || data < map)
    return broken(0x154, "the sizes in its header are none");
  if (map > in.size() || count * 4 > in.size() - map)
    return broken(in.size(), "it ends early, within its map of blocks");
  if (data > in.size() || used * block > in.size() - data)
    return broken(in.size(), "it ends early: blocks that its header counts are not there");
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!budget.spend(4)) return over_budget();
    const std::uint32_t place = in.little32(map + 4 * i).value_or(0);
    if (place < 0xfffffffe && place >= used)
      return broken(map + 4 * i, "entry " + std::to_string(i) + " of its map of blocks is none");
  }
  return whole();
}

}  // namespace kura::detect::disks
