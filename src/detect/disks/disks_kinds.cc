#include "detect/disks/disks_kinds.h"

namespace kura::detect {

std::span<const Kind> disks_kinds() { return {}; }

}  // namespace kura::detect
