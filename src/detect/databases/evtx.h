// Windows' event logs (EVTX): chunks of 64 KiB with checksums.
#pragma once

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect::evtx {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);

}  // namespace kura::detect::evtx
