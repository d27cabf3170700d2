#include <string>

#include <gtest/gtest.h>

#include "detect/codec/inflate.h"
#include "detect/disks/disk_images.h"
#include "detect/disks/disks_kinds.h"
#include "support/detect/judging.h"

namespace kura::detect::disks_test {
namespace {

std::optional<Report> judged(base::ByteSpan bytes, std::string_view expected) {
  return test::judged_as(disks_kinds(), bytes, expected);
}

Finding finding(base::ByteSpan bytes, std::string_view expected) {
  const auto report = judged(bytes, expected);
  EXPECT_TRUE(report);
  return report ? report->finding : Finding::kUndecided;
}

void text(base::Bytes& bytes, std::size_t at, std::string_view what) {
  std::ranges::copy(base::as_bytes(what), bytes.begin() + static_cast<std::ptrdiff_t>(at));
}
void low(base::Bytes& bytes, std::size_t at, std::uint64_t value, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) bytes[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
}
void high(base::Bytes& bytes, std::size_t at, std::uint64_t value, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) bytes[at + i] = static_cast<std::uint8_t>(value >> (8 * (width - 1 - i)));
}

TEST(Vhd, TheChecksumOfItsFooterIsProven) {
  base::Bytes disk(4096 + 512, 0);
  text(disk, 4096, "conectix");
  high(disk, 4096 + 48, 4096, 8);
  high(disk, 4096 + 60, 2, 4);
  std::uint32_t sum = 0;
  for (std::size_t i = 4096; i < disk.size(); ++i) sum += disk[i];
  high(disk, 4096 + 64, ~sum, 4);
  EXPECT_EQ(finding(disk, "vhd"), Finding::kWhole);
  disk[4096 + 100] ^= 1;
  EXPECT_EQ(finding(disk, "vhd"), Finding::kBroken);
}

base::Bytes qcow2() {
  base::Bytes disk(5 * 65536, 0);
  text(disk, 0, "QFI\xfb");
  high(disk, 4, 2, 4);
  high(disk, 20, 16, 4);
  high(disk, 36, 1, 4);
  high(disk, 40, 3 * 65536, 8);
  high(disk, 48, 65536, 8);
  high(disk, 56, 1, 4);
  high(disk, 65536, 2 * 65536, 8);
  high(disk, 3 * 65536, (1ULL << 63) | 4 * 65536, 8);
  high(disk, 4 * 65536, (1ULL << 63) | 2 * 65536, 8);
  return disk;
}

TEST(Qcow2, EntriesOfItsTablesAreProven) {
  const base::Bytes disk = qcow2();
  EXPECT_EQ(finding(disk, "qcow2"), Finding::kWhole);
  for (const std::size_t table : {65536U, 3U * 65536U, 4U * 65536U}) {
    base::Bytes bad = disk;
    bad[table + 7] = 0x35;
    EXPECT_EQ(finding(bad, "qcow2"), Finding::kBroken) << table;
  }
  EXPECT_EQ(finding(base::ByteSpan(disk).first(3 * 65536), "qcow2"), Finding::kBroken);
}

base::Bytes fat_image() {
  base::Bytes disk(1440 * 1024, 0);
  disk[0] = 0xeb;
  low(disk, 11, 512, 2);
  disk[13] = 1;
  low(disk, 14, 1, 2);
  disk[16] = 2;
  low(disk, 19, 2880, 2);
  disk[21] = 0xf0;
  low(disk, 22, 9, 2);
  low(disk, 510, 0xaa55, 2);
  for (const std::size_t table : {512U, 512U * 10U}) low(disk, table, 0xfffff0, 3);
  return disk;
}

TEST(Fat, ItsTablesHaveToBeAlike) {
  base::Bytes disk = fat_image();
  EXPECT_EQ(finding(disk, "fat image"), Finding::kWhole);
  disk[512 + 300] = 1;
  EXPECT_EQ(finding(disk, "fat image"), Finding::kBroken);
}

TEST(Fat, CutShortItIsFound) {
  const base::Bytes disk = fat_image();
  const auto report = judged(base::ByteSpan(disk).first(700000), "fat image");
  ASSERT_TRUE(report);
  EXPECT_TRUE(report->evidence.starts_with("it ends early")) << report->evidence;
}

TEST(Gpt, BothItsChecksumsAreProven) {
  base::Bytes disk(1U << 20, 0);
  low(disk, 510, 0xaa55, 2);
  text(disk, 512, "EFI PART");
  low(disk, 512 + 12, 92, 4);
  low(disk, 512 + 32, 2047, 8);
  low(disk, 512 + 72, 2, 8);
  low(disk, 512 + 80, 128, 4);
  low(disk, 512 + 84, 128, 4);
  text(disk, 1024, "a partition type");
  low(disk, 1024 + 32, 64, 8);
  low(disk, 1024 + 40, 128, 8);
  low(disk, 512 + 88, crc32(base::ByteSpan(disk).subspan(1024, 128 * 128)), 4);
  low(disk, 512 + 16, crc32(base::ByteSpan(disk).subspan(512, 92)), 4);
  EXPECT_EQ(finding(disk, "gpt disk"), Finding::kWhole);
  for (const std::size_t at : {512U + 50U, 1024U + 200U}) {
    base::Bytes bad = disk;
    bad[at] ^= 1;
    EXPECT_EQ(finding(bad, "gpt disk"), Finding::kBroken) << at;
  }
}

TEST(Ext, TheChecksumsOfSuperblockAndDescriptorsAreProven) {
  base::Bytes disk(256 * 1024, 0);
  const std::size_t super = 1024;
  low(disk, super + 4, 256, 4);  // blocks of 1 KiB
  low(disk, super + 0x14, 1, 4);
  low(disk, super + 0x20, 8192, 4);
  low(disk, super + 0x38, 0xef53, 2);
  low(disk, super + 0x64, 0x400, 4);  // checksums
  text(disk, super + 0x68, "a universal name");
  const base::ByteSpan bytes(disk);
  low(disk, super + 0x3fc, disks::crc32c_raw(bytes.subspan(super, 0x3fc)), 4);
  for (const std::size_t field : {0U, 4U, 8U}) low(disk, 2048 + field, 3 + field, 4);
  std::uint32_t crc = disks::crc32c_raw(bytes.subspan(super + 0x68, 16));
  crc = disks::crc32c_raw(base::Bytes(4, 0), crc);
  crc = disks::crc32c_raw(bytes.subspan(2048, 32), crc);
  low(disk, 2048 + 0x1e, crc & 0xffff, 2);
  EXPECT_EQ(finding(disk, "ext image"), Finding::kWhole);
  for (const std::size_t at : {super + 0x80, std::size_t{2048 + 12}}) {
    base::Bytes bad = disk;
    bad[at] ^= 1;
    EXPECT_EQ(finding(bad, "ext image"), Finding::kBroken) << at;
  }
  EXPECT_EQ(finding(bytes.first(100000), "ext image"), Finding::kBroken);
}

TEST(Disks, TablesOfEnormousDisksEnd) {
  base::Bytes disk = qcow2();
  high(disk, 36, 0xffffffff, 4);
  EXPECT_EQ(finding(disk, "qcow2"), Finding::kBroken);
  base::Bytes vdi(4096, 0);
  low(vdi, 64, 0xbeda107f, 4);
  for (const std::size_t at : {0x154U, 0x158U, 0x180U, 0x184U}) low(vdi, at, 0xffffffff, 4);
  low(vdi, 0x178, 1U << 20, 4);
  EXPECT_EQ(finding(vdi, "vdi"), Finding::kBroken);
}

}  // namespace
}  // namespace kura::detect::disks_test
