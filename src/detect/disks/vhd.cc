#include <string>

#include "detect/disks/disk_images.h"

namespace kura::detect::disks {
namespace vhd {
namespace {

constexpr std::uint64_t kFooter = 512;
constexpr std::uint64_t kHeader = 1024;
constexpr std::uint32_t kUnused = 0xffffffff;
enum : std::uint32_t { kFixed = 2, kDynamic = 3, kDifferencing = 4 };

// The complement of the sum of all bytes but those of the checksum itself.
bool sums_up(base::ByteSpan bytes, std::size_t checksum_at) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i < checksum_at || i >= checksum_at + 4) sum += bytes[i];
  }
  return ~sum == big<std::uint32_t>(bytes, checksum_at);
}

bool is_footer(Window& in, std::uint64_t at) { return in.has(at, "conectix"); }

std::optional<base::ByteSpan> right_footer(Window& in, std::uint64_t at) {
  const auto footer = in.whole(at, kFooter);
  if (!footer || !sums_up(*footer, 64)) return std::nullopt;
  return footer;
}

Report check_table(Window& in, std::uint64_t header_at, Budget& budget) {
  const auto header = in.whole(header_at, kHeader);
  if (!header || base::as_text(header->first(8)) != "cxsparse")
    return broken(header_at, "the header of the dynamic disk is none");
  if (!sums_up(*header, 36)) return broken(header_at, "the checksum of the header of the dynamic disk is wrong");
  const auto table = big<std::uint64_t>(*header, 16);
  const std::uint64_t entries = big<std::uint32_t>(*header, 28);
  const std::uint64_t block = big<std::uint32_t>(*header, 32);
  if (table > in.size() || entries * 4 > in.size() - table)
    return broken(in.size(), "it ends early, within its table of blocks");
  for (std::uint64_t i = 0; i < entries; ++i) {
    if (!budget.spend(4)) return over_budget();
    const std::uint32_t sector = in.big32(table + 4 * i).value_or(kUnused);
    if (sector == kUnused) continue;
    // The last block may be cut where it was not written yet.
    const std::uint64_t at = std::uint64_t{sector} * 512;
    if (at < kFooter || at >= in.size() || in.size() - at < block / 2) {
      return broken(table + 4 * i, "block " + std::to_string(i) + " of the disk lies outside of the file");
    }
  }
  return whole();
}

}  // namespace
}  // namespace vhd

bool is_vhd(Window& in) { return vhd::is_footer(in, 0) || (in.size() > 512 && vhd::is_footer(in, in.size() - 512)); }

Report check_vhd(Window& in, Budget& budget) {
  const std::uint64_t end = in.size() - std::min<std::uint64_t>(in.size(), vhd::kFooter);
  const bool copy = vhd::is_footer(in, 0) && in.size() > 1536;
  const auto footer = vhd::right_footer(in, end);
  if (!footer) return broken(end, "the footer at its end is not there, or its checksum is wrong");
  const auto type = big<std::uint32_t>(*footer, 60);
  const auto header_at = big<std::uint64_t>(*footer, 16);
  const auto size = big<std::uint64_t>(*footer, 48);
  if (type == vhd::kFixed) {
    // Some programs leave a sector more or less.
    if (end + vhd::kFooter < size) return broken(in.size(), "it is smaller than the disk that it holds");
    return whole();
  }
  if (type != vhd::kDynamic && type != vhd::kDifferencing) return broken(end + 60, "its footer names no type there is");
  if (!copy || !vhd::right_footer(in, 0)) return broken(0, "the copy of its footer at its beginning is wrong");
  return vhd::check_table(in, header_at, budget);
}

}  // namespace kura::detect::disks
