// PNG and APNG (W3C, Portable Network Graphics, third edition), and MNG and JNG by their chunks.
#pragma once

#include "detect/grammar/kind.h"

namespace kura::detect::png {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);

}  // namespace kura::detect::png
