#include <string>

#include "detect/disks/disk_images.h"
#include "detect/disks/filesystems.h"

namespace kura::detect::disks {
namespace ext {
namespace {

constexpr std::uint64_t kSuper = 1024;
constexpr std::uint64_t kMostGroups = 1U << 22;
enum : std::uint32_t {
  kMetaGroups = 0x10,
  k64Bit = 0x80,
  kJournalDevice = 8,
  kMetadataChecksums = 0x400,
  kSeed = 0x2000
};

struct Super {
  std::uint64_t blocks = 0;
  std::uint64_t block = 0;
  std::uint64_t first = 0;
  std::uint64_t groups = 0;
  std::uint64_t descriptor = 32;
  std::uint32_t features = 0;  // incompatible ones
  bool checksums = false;
  std::uint32_t seed = 0;
};

std::optional<Super> read_super(Window& in, std::uint64_t at) {
  Super super;
  const auto word = [&](std::uint64_t offset) { return in.little32(at + offset).value_or(0); };
  super.features = word(0x60);
  super.blocks = word(0x4) | ((super.features & k64Bit) != 0 ? std::uint64_t{word(0x150)} << 32 : 0);
  const std::uint32_t per_group = word(0x20);
  super.first = word(0x14);
  if (word(0x18) > 6 || per_group == 0 || super.blocks <= super.first || super.blocks > (1ULL << 48))
    return std::nullopt;
  super.block = 1024ULL << word(0x18);
  super.groups = (super.blocks - super.first + per_group - 1) / per_group;
  if ((super.features & k64Bit) != 0) super.descriptor = in.little16(at + 0xfe).value_or(0);
  if (super.descriptor < 32 || super.descriptor > super.block) return std::nullopt;
  super.checksums = (word(0x64) & kMetadataChecksums) != 0;
  if (super.checksums) {
    const auto uuid = in.whole(at + 0x68, 16);
    super.seed = (super.features & kSeed) != 0 ? word(0x270) : uuid ? crc32c_raw(*uuid) : 0;
  }
  return super;
}

bool is_super_right(Window& in, std::uint64_t at) {
  const auto bytes = in.whole(at, 1024);
  return bytes && crc32c_raw(bytes->first(0x3fc)) == little<std::uint32_t>(*bytes, 0x3fc);
}

// crc32c of the group's number and its descriptor, with its checksum (at 0x1e) as zeros; the lower half.
bool is_descriptor_right(base::ByteSpan bytes, std::uint32_t group, std::uint32_t seed) {
  const std::uint8_t number[] = {static_cast<std::uint8_t>(group), static_cast<std::uint8_t>(group >> 8),
                                 static_cast<std::uint8_t>(group >> 16), static_cast<std::uint8_t>(group >> 24)};
  constexpr std::uint8_t kZeros[2] = {};
  std::uint32_t crc = crc32c_raw(number, seed);
  crc = crc32c_raw(bytes.first(0x1e), crc);
  crc = crc32c_raw(kZeros, crc);
  if (bytes.size() > 32) crc = crc32c_raw(bytes.subspan(0x20), crc);
  return (crc & 0xffff) == little<std::uint16_t>(bytes, 0x1e);
}

Report check_groups(Window& in, Range image, const Super& super, Budget& budget) {
  const std::uint64_t table = image.offset + (super.first + 1) * super.block;
  for (std::uint64_t i = 0; i < super.groups; ++i) {
    const std::uint64_t at = table + i * super.descriptor;
    const auto bytes = in.whole(at, static_cast<std::size_t>(super.descriptor));
    if (!bytes) return broken(in.size(), "it ends early, within its group descriptors");
    if (!budget.spend(super.descriptor)) return over_budget();
    const std::string group = "group " + std::to_string(i);
    if (super.checksums && !is_descriptor_right(*bytes, static_cast<std::uint32_t>(i), super.seed)) {
      return broken(at, "the checksum of the descriptor of " + group + " is wrong");
    }
    for (const std::size_t field : {0U, 4U, 8U}) {  // bitmaps of blocks and inodes, the table of inodes
      std::uint64_t place = little<std::uint32_t>(*bytes, field);
      if (super.descriptor >= 64) place |= std::uint64_t{little<std::uint32_t>(*bytes, field + 32)} << 32;
      if (place < super.first || place >= super.blocks)
        return broken(at, "a table of " + group + " lies outside of the file system");
    }
  }
  return whole();
}

}  // namespace
}  // namespace ext

bool is_ext(Window& in, std::uint64_t base) {
  const std::uint64_t at = base + ext::kSuper;
  return in.little16(at + 0x38) == 0xef53 && in.little32(at + 0x18).value_or(9) <= 6 &&
         in.little32(at + 0x4c).value_or(9) <= 1;
}

Report check_ext(Window& in, Range image, Budget& budget) {
  const std::uint64_t at = image.offset + ext::kSuper;
  const auto super = ext::read_super(in, at);
  if (!super) return broken(at, "the sizes in the superblock of the ext file system are none");
  if (super->checksums && !ext::is_super_right(in, at)) return broken(at, "the checksum of the superblock is wrong");
  if (super->blocks > image.size / super->block) {
    return broken(image.end(), "it ends early: the file system has " + std::to_string(super->blocks) + " blocks of " +
                                   std::to_string(super->block) + " bytes");
  }
  if ((super->features & (ext::kMetaGroups | ext::kJournalDevice)) != 0) return whole();
  if (super->groups > ext::kMostGroups) return undecided("it has too many groups of blocks");
  return ext::check_groups(in, image, *super, budget);
}

}  // namespace kura::detect::disks
