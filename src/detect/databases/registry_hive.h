// Hives of the Windows registry: a base block with a checksum, bins, cells that fill them.
#pragma once

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect::hive {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);

}  // namespace kura::detect::hive
