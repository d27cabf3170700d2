#include <string>

#include "detect/codec/inflate.h"
#include "detect/disks/filesystems.h"

namespace kura::detect::disks {
namespace partitions {
namespace {

constexpr std::uint64_t kSector = 512;
constexpr std::uint32_t kMostEntries = 1024;

// The header of a GPT, where it is and right.
bool is_header(Window& in, std::uint64_t at) {
  if (!in.has(at, "EFI PART")) return false;
  const std::uint32_t size = in.little32(at + 12).value_or(0);
  if (size < 92 || size > kSector) return false;
  const auto bytes = in.whole(at, size);
  if (!bytes) return false;
  base::Bytes copy(bytes->begin(), bytes->end());
  for (std::size_t i = 16; i < 20; ++i) copy[i] = 0;
  return crc32(copy) == little<std::uint32_t>(*bytes, 16);
}

Report check_inside(Window& in, Range part, Budget& budget) {
  if (part.offset >= in.size()) return whole();
  part.size = std::min(part.size, in.size() - part.offset);
  if (is_ext(in, part.offset)) return check_ext(in, part, budget);
  if (is_ntfs(in, part.offset)) return check_ntfs(in, part, budget);
  if (is_exfat(in, part.offset)) return check_exfat(in, part, budget);
  if (is_fat(in, part.offset)) return check_fat(in, part, budget);
  return whole();
}

Report check_gpt(Window& in, Budget& budget) {
  if (!is_header(in, kSector)) return broken(kSector, "the checksum of its partition table's header is wrong");
  const std::uint64_t table = in.little64(kSector + 72).value_or(0) * kSector;
  const std::uint64_t backup = in.little64(kSector + 32).value_or(0);
  const std::uint32_t count = in.little32(kSector + 80).value_or(0);
  const std::uint32_t entry = in.little32(kSector + 84).value_or(0);
  if (count > kMostEntries || entry < 128 || entry > 4096)
    return broken(kSector + 80, "the sizes in its partition table are none");
  if (crc32(in, {table, std::uint64_t{count} * entry}, budget) != in.little32(kSector + 88).value_or(0)) {
    return broken(table, "the checksum of its partition table is wrong");
  }
  if (backup > in.size() / kSector)
    return broken(in.size(), "it ends early: its disk has " + std::to_string(backup + 1) + " sectors");
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint64_t at = table + std::uint64_t{i} * entry;
    const std::uint64_t first = in.little64(at + 32).value_or(0);
    const std::uint64_t last = in.little64(at + 40).value_or(0);
    if (in.little64(at) == 0U && in.little64(at + 8) == 0U) continue;
    if (last < first || last > in.size() / kSector)
      return broken(at, "partition " + std::to_string(i + 1) + " lies outside of the disk");
    Report report = check_inside(in, {first * kSector, (last - first + 1) * kSector}, budget);
    if (report.finding != Finding::kWhole) return report;
  }
  return whole();
}

struct MbrEntry {
  std::uint8_t status = 0;
  std::uint8_t type = 0;
  std::uint64_t first = 0;
  std::uint64_t count = 0;
};

MbrEntry mbr_entry(Window& in, std::uint64_t i) {
  const std::uint64_t at = 446 + 16 * i;
  return {in.byte(at).value_or(1), in.byte(at + 4).value_or(0), in.little32(at + 8).value_or(0),
          in.little32(at + 12).value_or(0)};
}

}  // namespace
}  // namespace partitions

bool is_gpt(Window& in) { return in.has(510, "\x55\xaa") && in.has(512, "EFI PART"); }

bool is_mbr(Window& in) {
  if (in.size() < 4096 || !in.has(510, "\x55\xaa")) return false;
  unsigned used = 0;
  for (std::uint64_t i = 0; i < 4; ++i) {
    const partitions::MbrEntry entry = partitions::mbr_entry(in, i);
    if ((entry.status & 0x7f) != 0) return false;
    if (entry.type == 0) {
      if (entry.first != 0 || entry.count != 0) return false;
      continue;
    }
    if (entry.first == 0 || entry.count == 0 || entry.first > in.size() / partitions::kSector) return false;
    ++used;
  }
  return used > 0;
}

Report check_partitions(Window& in, Budget& budget) {
  if (is_gpt(in)) return partitions::check_gpt(in, budget);
  for (std::uint64_t i = 0; i < 4; ++i) {
    const partitions::MbrEntry entry = partitions::mbr_entry(in, i);
    if (entry.type == 0) continue;
    Report report =
        partitions::check_inside(in, {entry.first * partitions::kSector, entry.count * partitions::kSector}, budget);
    if (report.finding != Finding::kWhole) return report;
  }
  return whole();
}

}  // namespace kura::detect::disks
