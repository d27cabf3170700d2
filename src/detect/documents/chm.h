// Compiled help (CHM): its directory is proven, its compressed contents are not.
#pragma once

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect::chm {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);

}  // namespace kura::detect::chm
