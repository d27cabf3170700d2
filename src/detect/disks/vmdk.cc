#include <string>

#include "detect/disks/disk_images.h"

namespace kura::detect::disks {
namespace vmdk {
namespace {

constexpr std::uint64_t kSector = 512;
constexpr std::uint64_t kAtEnd = 0xffffffffffffffff;  // stream-optimised ones have their directory before the footer

Report check_grains(Window& in, std::uint64_t directory, std::uint64_t capacity, std::uint64_t grain,
                    std::uint64_t per_table, Budget& budget) {
  const std::uint64_t tables = (capacity + grain * per_table - 1) / (grain * per_table);
  for (std::uint64_t i = 0; i < tables; ++i) {
    if (!budget.spend(4)) return over_budget();
    const auto table = in.little32(directory * kSector + 4 * i);
    if (!table) return broken(in.size(), "it ends early, within its grain directory");
    if (*table == 0) continue;
    if (std::uint64_t{*table} * kSector + 4 * per_table > in.size()) {
      return broken(directory * kSector + 4 * i, "grain table " + std::to_string(i) + " lies outside of the file");
    }
    for (std::uint64_t k = 0; k < per_table && budget.spend(4); ++k) {
      const std::uint64_t at = std::uint64_t{*table} * kSector + 4 * k;
      const std::uint64_t place = std::uint64_t{in.little32(at).value_or(0)} * kSector;
      if (place > in.size())
        return broken(at, "a grain of grain table " + std::to_string(i) + " lies outside of the file");
    }
  }
  return whole();
}

}  // namespace
}  // namespace vmdk

bool is_vmdk(Window& in) { return in.has(0, "KDMV") && in.little32(4).value_or(0) - 1 < 3; }

Report check_vmdk(Window& in, Budget& budget) {
  const std::uint64_t grain = in.little64(20).value_or(0);
  const std::uint64_t descriptor = in.little64(28).value_or(0);
  const std::uint64_t per_table = in.little32(44).value_or(0);
  std::uint64_t capacity = in.little64(12).value_or(0);
  std::uint64_t directory = in.little64(56).value_or(0);
  // Section "Hosted Sparse Extents": these find out transfers in text mode.
  if (!in.has(73, "\n \r\n")) return broken(73, "its header has lost its line ends");
  if (descriptor != 0 && descriptor < in.size() / vmdk::kSector &&
      !in.has(descriptor * vmdk::kSector, "# Disk DescriptorFile")) {
    return broken(descriptor * vmdk::kSector, "its descriptor is no text");
  }
  if (directory == vmdk::kAtEnd) {
    if (in.size() < 1024 || !in.has(in.size() - 1024, "KDMV"))
      return broken(in.size(), "it ends early: its footer is not there");
    directory = in.little64(in.size() - 1024 + 56).value_or(0);
    capacity = in.little64(in.size() - 1024 + 12).value_or(0);
  }
  const bool power = grain != 0 && (grain & (grain - 1)) == 0;
  if (!power || grain > (1U << 20) || per_table == 0 || per_table > (1U << 16) || capacity > (1ULL << 50)) {
    return broken(12, "the sizes in its header are none");
  }
  if (directory >= in.size() / vmdk::kSector) return broken(in.size(), "it ends early, before its grain directory");
  return vmdk::check_grains(in, directory, capacity, grain, per_table, budget);
}

}  // namespace kura::detect::disks
