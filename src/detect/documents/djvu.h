// DjVu: a tree of chunks (IFF), whose compressed contents are not proven.
#pragma once

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect::djvu {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);

}  // namespace kura::detect::djvu
