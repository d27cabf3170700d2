#include <isa-l/crc.h>

#include <algorithm>
#include <array>
#include <string>

#include "detect/disks/disk_images.h"

namespace kura::detect::disks {
namespace vhdx {
namespace {

constexpr std::uint64_t kKiB = 1024;
constexpr std::size_t kHeader = 4096;
constexpr std::size_t kTable = 64 * kKiB;

// CRC-32C of a structure, with zeros where it holds the checksum itself (bytes 4 to 7).
bool is_right(Window& in, std::uint64_t at, std::size_t size) {
  const auto bytes = in.whole(at, size);
  if (!bytes) return false;
  constexpr std::array<std::uint8_t, 4> kZeros{};
  std::uint32_t crc = crc32c_raw(bytes->first(4));
  crc = crc32c_raw(kZeros, crc);
  crc = crc32c_raw(bytes->subspan(8), crc);
  return ~crc == little<std::uint32_t>(*bytes, 4);
}

// The BAT: where each block lies, in MiB, with its state in the lowest bits (section 2.5).
Report check_blocks(Window& in, Range table, Budget& budget) {
  for (std::uint64_t i = 0; i < table.size / 8; ++i) {
    if (!budget.spend(8)) return over_budget();
    const std::uint64_t entry = in.little64(table.offset + 8 * i).value_or(0);
    const std::uint64_t state = entry & 7;
    const std::uint64_t at = (entry >> 20) << 20;
    const bool there = state == 6 || state == 7;
    if ((entry >> 3 & 0x1ffff) != 0 || state == 4 || (there && (at < (1U << 20) || at >= in.size()))) {
      return broken(table.offset + 8 * i, "entry " + std::to_string(i) + " of its table of blocks is none");
    }
  }
  return whole();
}

}  // namespace
}  // namespace vhdx

std::uint32_t crc32c_raw(base::ByteSpan bytes, std::uint32_t before) {
  // ISA-L only reads it.
  return crc32_iscsi(const_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()), before);
}

bool is_vhdx(Window& in) { return in.has(0, "vhdxfile"); }

Report check_vhdx(Window& in, Budget& budget) {
  using namespace vhdx;
  if (in.size() < 320 * kKiB) return broken(in.size(), "it ends early, within its headers");
  if (!budget.spend(2 * kHeader + 2 * kTable)) return over_budget();
  // Both are there twice, and one may be half written when a machine stopped.
  const bool header = is_right(in, 64 * kKiB, kHeader) || is_right(in, 128 * kKiB, kHeader);
  if (!header) return broken(64 * kKiB, "the checksums of both its headers are wrong");
  const std::uint64_t regions = is_right(in, 192 * kKiB, kTable) ? 192 * kKiB : 256 * kKiB;
  if (!is_right(in, regions, kTable)) return broken(regions, "the checksums of both its tables of regions are wrong");
  const std::uint32_t count = std::min(in.little32(regions + 8).value_or(0), 2047U);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t at = regions + 16 + 32 * i;
    const Range region = {in.little64(at + 16).value_or(0), in.little32(at + 24).value_or(0)};
    if (region.offset > in.size() || region.size > in.size() - region.offset) {
      return broken(in.size(), "it ends early: a region would go on to " + std::to_string(region.offset));
    }
    const std::uint32_t id = in.little32(at).value_or(0);
    if (id == 0x8B7CA206 && !in.has(region.offset, "metadata"))
      return broken(region.offset, "its metadata does not begin as such");
    if (id != 0x2DC27766) continue;
    Report report = check_blocks(in, region, budget);
    if (report.finding != Finding::kWhole) return report;
  }
  return whole();
}

}  // namespace kura::detect::disks
