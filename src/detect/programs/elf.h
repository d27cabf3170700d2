// ELF (System V ABI, gABI): programs, libraries, objects, kernel modules.
#pragma once

#include "detect/grammar/report.h"

namespace kura::detect::programs {

bool is_elf(Window& in);
Report check_elf(Window& in, Budget& budget);

}  // namespace kura::detect::programs
