// JPEG (ITU-T T.81), as JFIF, Exif and others wrap it.
#pragma once

#include "detect/grammar/kind.h"

namespace kura::detect::jpeg {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);
// A JPEG stream within another file. What lies behind its end is not looked at.
Report check_within(Window& in, Range range, Budget& budget);

}  // namespace kura::detect::jpeg
