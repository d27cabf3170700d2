// Raw images of file systems and of disks with partitions: superblocks, descriptors and tables.
#pragma once

#include "detect/grammar/report.h"

namespace kura::detect::disks {

// ext2, ext3, ext4 (the kernel's Documentation/filesystems/ext4). The image may be part of a disk.
bool is_ext(Window& in, std::uint64_t base);
Report check_ext(Window& in, Range image, Budget& budget);

bool is_ntfs(Window& in, std::uint64_t base);
Report check_ntfs(Window& in, Range image, Budget& budget);

// FAT12, FAT16 and FAT32 (Microsoft's fatgen103), exFAT.
bool is_fat(Window& in, std::uint64_t base);
Report check_fat(Window& in, Range image, Budget& budget);
bool is_exfat(Window& in, std::uint64_t base);
Report check_exfat(Window& in, Range image, Budget& budget);

// A disk with a GPT (UEFI specification, chapter 5) or an MBR, and the file systems above in its partitions.
bool is_gpt(Window& in);
bool is_mbr(Window& in);
Report check_partitions(Window& in, Budget& budget);

bool is_swap(Window& in);
Report check_swap(Window& in, Budget& budget);
bool is_squashfs(Window& in);
Report check_squashfs(Window& in, Budget& budget);

}  // namespace kura::detect::disks
