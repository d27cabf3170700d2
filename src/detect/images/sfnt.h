// Fonts: TrueType and OpenType (ISO/IEC 14496-22), collections of them, WOFF and WOFF2.
#pragma once

#include "detect/grammar/kind.h"

namespace kura::detect::sfnt {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);
bool recognise_woff(Window& in);
Report check_woff(Window& in, Budget& budget);
bool recognise_woff2(Window& in);
Report check_woff2(Window& in, Budget& budget);

}  // namespace kura::detect::sfnt
