#include "detect/disks/disks_kinds.h"

#include <array>

#include "detect/disks/disk_images.h"
#include "detect/disks/filesystems.h"

namespace kura::detect {
namespace disks {
namespace {

template <bool (*kIs)(Window&, std::uint64_t)>
bool is_image(Window& in) {
  return kIs(in, 0);
}

template <Report (*kCheck)(Window&, Range, Budget&)>
Report check_image(Window& in, Budget& budget) {
  return kCheck(in, {0, in.size()}, budget);
}

constexpr std::array kKinds = {
    Kind{"vhdx", "vhdx avhdx", is_vhdx, check_vhdx},
    Kind{"vhd", "vhd avhd vpc", is_vhd, check_vhd},
    Kind{"vmdk", "vmdk", is_vmdk, check_vmdk},
    Kind{"qcow2", "qcow2 qcow img", is_qcow2, check_qcow2},
    Kind{"vdi", "vdi", is_vdi, check_vdi},
    Kind{"squashfs", "squashfs sqsh snap sfs img", is_squashfs, check_squashfs},
    Kind{"gpt disk", "img raw dd bin iso", is_gpt, check_partitions},
    Kind{"ntfs image", "img raw dd ntfs", is_image<is_ntfs>, check_image<check_ntfs>},
    Kind{"exfat image", "img raw dd", is_image<is_exfat>, check_image<check_exfat>},
    Kind{"fat image", "img raw dd ima vfd flp fat", is_image<is_fat>, check_image<check_fat>},
    Kind{"ext image", "img raw dd ext2 ext3 ext4", is_image<is_ext>, check_image<check_ext>},
    Kind{"swap space", "img raw swap", is_swap, check_swap},
    Kind{"mbr disk", "img raw dd bin iso", is_mbr, check_partitions},
};

}  // namespace
}  // namespace disks

std::span<const Kind> disks_kinds() { return disks::kKinds; }

}  // namespace kura::detect
