// GIF87a and GIF89a.
#pragma once

#include "detect/grammar/kind.h"

namespace kura::detect::gif {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);

}  // namespace kura::detect::gif
