#include <string>

#include "detect/disks/filesystems.h"

namespace kura::detect::disks {
namespace ntfs {
namespace {

constexpr std::uint64_t kSector = 512;
constexpr std::uint64_t kMostRecord = 4096;

struct Boot {
  std::uint64_t cluster = 0;
  std::uint64_t record = 0;
  std::uint64_t mft = 0;     // bytes from the beginning of the image
  std::uint64_t volume = 0;  // bytes
};

std::optional<Boot> read_boot(Window& in, std::uint64_t base) {
  const std::uint64_t sector = in.little16(base + 11).value_or(0);
  const std::uint64_t per_cluster = in.byte(base + 13).value_or(0);
  const auto record = static_cast<std::int8_t>(in.byte(base + 64).value_or(0));
  if (sector < 512 || sector > 4096 || (sector & (sector - 1)) != 0 || per_cluster == 0) return std::nullopt;
  Boot boot;
  // From 256 on it counts as a power of two, negative.
  boot.cluster = sector * (per_cluster <= 128 ? per_cluster : 1ULL << ((256 - per_cluster) & 15));
  boot.record = record > 0 ? static_cast<std::uint64_t>(record) * boot.cluster : 1ULL << ((-record) & 15);
  const std::uint64_t lcn = in.little64(base + 48).value_or(0);
  const std::uint64_t sectors = in.little64(base + 40).value_or(0);
  if (lcn > (1ULL << 40) || sectors > (1ULL << 44)) return std::nullopt;
  if (boot.record < 1024 || boot.record > kMostRecord) return std::nullopt;
  boot.mft = lcn * boot.cluster;
  boot.volume = sectors * sector;
  return boot;
}

// The last two bytes of each sector of a record are a number that its head repeats: who tears one writes two.
bool is_record_right(base::ByteSpan record) {
  const auto at = little<std::uint16_t>(record, 4);
  const auto count = little<std::uint16_t>(record, 6);
  if (count != record.size() / kSector + 1 || at < 0x28 || at + 2U * count > record.size()) return false;
  for (std::size_t i = 1; i < count; ++i) {
    if (little<std::uint16_t>(record, i * kSector - 2) != little<std::uint16_t>(record, at)) return false;
  }
  return true;
}

// The first run of the master file table's own data: how many bytes lie together. 16 records are there always.
std::uint64_t first_run(base::ByteSpan record, const Boot& boot) {
  std::size_t at = little<std::uint16_t>(record, 0x14);
  for (int i = 0; i < 32 && at + 64 <= record.size(); ++i) {
    const auto type = little<std::uint32_t>(record, at);
    const auto length = little<std::uint32_t>(record, at + 4);
    if (length < 16 || length > record.size() - at) break;
    if (type == 0x80 && record[at + 8] == 1) {
      const std::size_t run = at + little<std::uint16_t>(record, at + 32);
      if (run + 9 > record.size()) break;
      std::uint64_t clusters = 0;
      const std::size_t width = record[run] & 15U;
      for (std::size_t k = std::min<std::size_t>(width, 6); k > 0; --k) clusters = clusters << 8 | record[run + k];
      const auto used = little<std::uint64_t>(record, at + 0x38);  // initialised
      return std::min(clusters * boot.cluster, used);
    }
    at += length;
  }
  return 16 * boot.record;
}

Report check_records(Window& in, Range image, const Boot& boot, Budget& budget) {
  const std::uint64_t start = image.offset + boot.mft;
  const auto first = in.whole(start, static_cast<std::size_t>(boot.record));
  if (!first) return broken(in.size(), "it ends early, before its master file table");
  const std::uint64_t size = first_run(*first, boot);
  for (std::uint64_t done = 0; done + boot.record <= size; done += boot.record) {
    if (!budget.spend(boot.record)) return over_budget();
    const auto record = in.whole(start + done, static_cast<std::size_t>(boot.record));
    if (!record) return broken(in.size(), "it ends early, within its master file table");
    const std::string_view magic = base::as_text(record->first(4));
    const bool empty = magic == std::string_view("\0\0\0\0", 4);
    if (empty || magic == "BAAD") continue;
    if (magic != "FILE" || !is_record_right(*record)) {
      return broken(start + done, "record " + std::to_string(done / boot.record) + " of its master file table is none");
    }
  }
  return whole();
}

}  // namespace
}  // namespace ntfs

bool is_ntfs(Window& in, std::uint64_t base) { return in.has(base + 3, "NTFS    ") && in.has(base + 510, "\x55\xaa"); }

Report check_ntfs(Window& in, Range image, Budget& budget) {
  const auto boot = ntfs::read_boot(in, image.offset);
  if (!boot) return broken(image.offset, "the sizes in the boot sector of the NTFS are none");
  if (boot->volume > image.size)
    return broken(image.end(), "it ends early: the NTFS has " + std::to_string(boot->volume) + " bytes");
  return ntfs::check_records(in, image, *boot, budget);
}

}  // namespace kura::detect::disks
