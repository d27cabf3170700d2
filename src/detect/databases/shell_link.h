// Windows' shortcuts ([MS-SHLLINK]).
#pragma once

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect::lnk {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);

}  // namespace kura::detect::lnk
