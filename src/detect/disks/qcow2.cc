#include <string>

#include "detect/disks/disk_images.h"

namespace kura::detect::disks {
namespace qcow2 {
namespace {

constexpr std::uint64_t kPlace = 0x00fffffffffffe00;
constexpr std::uint64_t kReservedL1 = 0x7f000000000001ff;
constexpr std::uint64_t kCompressed = 1ULL << 62;

struct Header {
  std::uint64_t cluster = 0;
  std::uint64_t entry = 8;  // of an L2 table
  Range l1;
  Range refcounts;
};

Report check_l2(Window& in, std::uint64_t table, const Header& header, Budget& budget) {
  for (std::uint64_t k = 0; k < header.cluster / header.entry; ++k) {
    if (!budget.spend(8)) return over_budget();
    const std::uint64_t at = table + header.entry * k;
    const std::uint64_t entry = in.big64(at).value_or(0);
    const bool packed = (entry & kCompressed) != 0;
    // Compressed clusters lie at any byte.
    const bool aligned = packed || ((entry & kPlace) % header.cluster == 0 && (entry & 0x3f000000000001fe) == 0);
    if (!aligned || (!packed && (entry & kPlace) >= in.size() + header.cluster)) {
      return broken(at, "an entry of the L2 table at " + std::to_string(table) + " is none");
    }
  }
  return whole();
}

Report check_l1(Window& in, const Header& header, Budget& budget) {
  for (std::uint64_t i = 0; i < header.l1.size / 8; ++i) {
    if (!budget.spend(8)) return over_budget();
    const std::uint64_t at = header.l1.offset + 8 * i;
    const std::uint64_t entry = in.big64(at).value_or(0);
    const std::uint64_t table = entry & kPlace;
    if (entry == 0) continue;
    if ((entry & kReservedL1) != 0 || table % header.cluster != 0 || table >= in.size()) {
      return broken(at, "entry " + std::to_string(i) + " of its L1 table is none");
    }
    if (table == 0) continue;
    Report report = check_l2(in, table, header, budget);
    if (report.finding != Finding::kWhole) return report;
  }
  return whole();
}

Report check_refcounts(Window& in, const Header& header, Budget& budget) {
  for (std::uint64_t i = 0; i < header.refcounts.size / 8; ++i) {
    if (!budget.spend(8)) return over_budget();
    const std::uint64_t at = header.refcounts.offset + 8 * i;
    const std::uint64_t entry = in.big64(at).value_or(0);
    if (entry % header.cluster != 0 || entry >= in.size()) {
      return broken(at, "entry " + std::to_string(i) + " of its table of reference counts is none");
    }
  }
  return whole();
}

}  // namespace
}  // namespace qcow2

bool is_qcow2(Window& in) { return in.has(0, "QFI\xfb") && in.big32(4).value_or(0) - 2 < 2; }

Report check_qcow2(Window& in, Budget& budget) {
  const std::uint32_t bits = in.big32(20).value_or(0);
  if (bits < 9 || bits > 21) return broken(20, "its clusters have a size that is none");
  qcow2::Header header;
  header.cluster = 1ULL << bits;
  const bool three = in.big32(4) == 3;
  const std::uint64_t features = three ? in.big64(72).value_or(0) : 0;
  if ((features & 16) != 0) header.entry = 16;
  header.l1 = {in.big64(40).value_or(0), 8ULL * in.big32(36).value_or(0)};
  header.refcounts = {in.big64(48).value_or(0), header.cluster * in.big32(56).value_or(0)};
  for (const Range& table : {header.l1, header.refcounts}) {
    if (table.offset % header.cluster != 0) return broken(40, "a table does not lie at the beginning of a cluster");
    if (table.offset > in.size() || table.size > in.size() - table.offset)
      return broken(in.size(), "it ends early, within its tables");
  }
  if (in.big32(32).value_or(0) != 0 && (features & 4) == 0) {
    Report counts = qcow2::check_refcounts(in, header, budget);
    if (counts.finding != Finding::kWhole) return counts;
    return cipher("a qcow2 disk image with encryption");
  }
  if ((features & 4) != 0) return whole();  // the data is in another file
  Report report = qcow2::check_l1(in, header, budget);
  if (report.finding != Finding::kWhole) return report;
  return qcow2::check_refcounts(in, header, budget);
}

}  // namespace kura::detect::disks
