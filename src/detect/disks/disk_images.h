// Images of disks as virtual machines keep them: headers, and the tables that say where each block of the disk lies.
// What the blocks hold is not looked at here: a disk holds anything.
#pragma once

#include "detect/grammar/report.h"

namespace kura::detect::disks {

// Virtual Hard Disk Image Format Specification 1.0. The footer stands at the end, in dynamic ones also at the
// beginning.
bool is_vhd(Window& in);
Report check_vhd(Window& in, Budget& budget);

// [MS-VHDX].
bool is_vhdx(Window& in);
Report check_vhdx(Window& in, Budget& budget);

// VMware Virtual Disk Format 5.0, hosted sparse extents; the text that describes several of them is a text.
bool is_vmdk(Window& in);
Report check_vmdk(Window& in, Budget& budget);

// QEMU's docs/interop/qcow2.txt.
bool is_qcow2(Window& in);
Report check_qcow2(Window& in, Budget& budget);

// VirtualBox.
bool is_vdi(Window& in);
Report check_vdi(Window& in, Budget& budget);

// CRC-32C (RFC 3720), as VHDX and ext4 count it, going on from `before` (without the last inversion).
std::uint32_t crc32c_raw(base::ByteSpan bytes, std::uint32_t before = 0xffffffff);

}  // namespace kura::detect::disks
