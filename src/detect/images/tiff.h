// TIFF 6.0, BigTIFF, and what is built on it: DNG, NEF, CR2, ARW.
#pragma once

#include "detect/grammar/kind.h"

namespace kura::detect::tiff {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);

}  // namespace kura::detect::tiff
