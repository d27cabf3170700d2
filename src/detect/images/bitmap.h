// Windows bitmaps, icons and cursors.
#pragma once

#include "detect/grammar/kind.h"

namespace kura::detect::bitmap {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);
bool recognise_icon(Window& in);
Report check_icon(Window& in, Budget& budget);

}  // namespace kura::detect::bitmap
