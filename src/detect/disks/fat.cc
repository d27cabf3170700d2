#include <algorithm>
#include <string>

#include "detect/disks/filesystems.h"

namespace kura::detect::disks {
namespace fat {
namespace {

struct Boot {
  std::uint64_t sector = 0;
  std::uint64_t reserved = 0;
  std::uint64_t tables = 0;
  std::uint64_t table = 0;  // sectors
  std::uint64_t all = 0;    // sectors
};

std::optional<Boot> read_boot(Window& in, std::uint64_t base) {
  Boot boot;
  boot.sector = in.little16(base + 11).value_or(0);
  const std::uint64_t cluster = in.byte(base + 13).value_or(0);
  boot.reserved = in.little16(base + 14).value_or(0);
  boot.tables = in.byte(base + 16).value_or(0);
  boot.all = in.little16(base + 19).value_or(0);
  const std::uint8_t media = in.byte(base + 21).value_or(0);
  boot.table = in.little16(base + 22).value_or(0);
  if (boot.all == 0) boot.all = in.little32(base + 32).value_or(0);
  if (boot.table == 0) boot.table = in.little32(base + 36).value_or(0);
  const bool powers = boot.sector >= 512 && boot.sector <= 4096 && (boot.sector & (boot.sector - 1)) == 0 &&
                      cluster != 0 && (cluster & (cluster - 1)) == 0;
  const bool counts = boot.reserved > 0 && (boot.tables == 1 || boot.tables == 2) && boot.table > 0 && boot.all > 0;
  if (!powers || !counts || (media != 0xf0 && media < 0xf8)) return std::nullopt;
  return boot;
}

// Where two stretches of the file differ first.
std::optional<std::uint64_t> first_difference(Window& in, std::uint64_t a, std::uint64_t b, std::uint64_t size,
                                              Budget& budget) {
  constexpr std::size_t kView = 64U << 10;
  for (std::uint64_t done = 0; done < size && budget.spend(2 * kView); done += kView) {
    const auto length = static_cast<std::size_t>(std::min<std::uint64_t>(kView, size - done));
    const base::ByteSpan left = in.at(a + done, length);
    const base::Bytes kept(left.begin(), left.end());
    if (!std::ranges::equal(kept, in.at(b + done, length))) return b + done;
  }
  return std::nullopt;
}

}  // namespace
}  // namespace fat

bool is_fat(Window& in, std::uint64_t base) {
  const std::uint8_t jump = in.byte(base).value_or(0);
  return (jump == 0xeb || jump == 0xe9) && in.has(base + 510, "\x55\xaa") && fat::read_boot(in, base).has_value();
}

Report check_fat(Window& in, Range image, Budget& budget) {
  const auto boot = fat::read_boot(in, image.offset);
  if (!boot) return broken(image.offset, "the boot sector of the FAT is none");
  const std::uint64_t start = image.offset + boot->reserved * boot->sector;
  const std::uint64_t size = boot->table * boot->sector;
  if (boot->all * boot->sector > image.size)
    return broken(image.end(), "it ends early: the FAT file system has " + std::to_string(boot->all) + " sectors");
  if (boot->reserved * boot->sector + size * boot->tables > image.size)
    return broken(image.end(), "it ends early, within its tables");
  // The first entry repeats the medium; above it all bits are set.
  if (in.byte(start) != in.byte(image.offset + 21) || in.byte(start + 1) != 0xff)
    return broken(start, "the file allocation table does not begin as such");
  if (boot->tables == 2) {
    const auto at = fat::first_difference(in, start, start + size, size, budget);
    if (at) return broken(*at, "its two file allocation tables differ");
  }
  return budget.spent_out() ? over_budget() : whole();
}

bool is_exfat(Window& in, std::uint64_t base) { return in.has(base + 3, "EXFAT   ") && in.has(base + 510, "\x55\xaa"); }

// Microsoft's exFAT specification, section 3: eleven sectors, and a twelfth full of their checksum.
Report check_exfat(Window& in, Range image, Budget& budget) {
  const unsigned shift = in.byte(image.offset + 108).value_or(0);
  if (shift < 9 || shift > 12) return broken(image.offset + 108, "the sizes in the boot sector of the exFAT are none");
  const std::uint64_t sector = 1ULL << shift;
  const auto bytes = in.whole(image.offset, static_cast<std::size_t>(12 * sector));
  if (!bytes || !budget.spend(12 * sector)) return broken(image.end(), "it ends early, within its boot sectors");
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < 11 * sector; ++i) {
    if (i == 106 || i == 107 || i == 112) continue;  // what changes in use
    sum = ((sum & 1) << 31) + (sum >> 1) + (*bytes)[i];
  }
  if (little<std::uint32_t>(*bytes, static_cast<std::size_t>(11 * sector)) != sum)
    return broken(image.offset, "the checksum of its boot sectors is wrong");
  const std::uint64_t sectors = little<std::uint64_t>(*bytes, 72);
  if (sectors > image.size / sector)
    return broken(image.end(), "it ends early: the exFAT has " + std::to_string(sectors) + " sectors");
  return whole();
}

}  // namespace kura::detect::disks
