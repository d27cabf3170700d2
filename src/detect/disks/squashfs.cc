#include <string>

#include "detect/disks/filesystems.h"

namespace kura::detect::disks {

bool is_squashfs(Window& in) { return in.has(0, "hsqs") && in.little16(28) == 4; }

// The kernel's Documentation/filesystems/squashfs.rst. Its blocks are compressed, and are not unpacked here.
Report check_squashfs(Window& in, Budget& budget) {
  constexpr std::uint64_t kNone = 0xffffffffffffffff;
  constexpr std::uint64_t kHeader = 96;
  const std::uint32_t block = in.little32(12).value_or(0);
  const std::uint32_t log = in.little16(22).value_or(0);
  const std::uint64_t used = in.little64(40).value_or(0);
  if (log < 12 || log > 20 || block != 1U << log) return broken(12, "the sizes in its superblock are none");
  if (used < kHeader) return broken(40, "it has no size");
  if (used > in.size()) return broken(in.size(), "it ends early: it has " + std::to_string(used) + " bytes");
  for (std::uint64_t at = 48; at < kHeader; at += 8) {  // where its tables begin
    const std::uint64_t table = in.little64(at).value_or(kNone);
    if (table != kNone && (table < kHeader || table > used)) return broken(at, "a table lies outside of the file");
  }
  // Metadata blocks, each with its length, chain from the inodes to the directories and on to the fragments.
  std::uint64_t at = in.little64(64).value_or(0);
  const std::uint64_t end = in.little64(72).value_or(0);
  while (at < end && budget.spend(16)) {
    const std::uint64_t size = in.little16(at).value_or(0) & 0x7fffU;
    if (size == 0 || size > 8192) return broken(at, "a block of its inodes has no length");
    at += 2 + size;
  }
  if (at != end && !budget.spent_out())
    return broken(end, "the blocks of its inodes do not end where its directories begin");
  return whole({{{kHeader, used - kHeader}, Density::kDense}});
}

bool is_swap(Window& in) { return in.has(4086, "SWAPSPACE2"); }

// The kernel's union swap_header.
Report check_swap(Window& in, Budget&) {
  const std::uint32_t last = in.little32(1028).value_or(0);
  if (in.little32(1024) != 1U) return broken(1024, "the header of the swap space is none");
  if ((std::uint64_t{last} + 1) * 4096 > in.size())
    return broken(in.size(), "it ends early: it has " + std::to_string(last) + " pages");
  return whole();
}

}  // namespace kura::detect::disks
