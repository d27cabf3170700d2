// Netpbm's binary pictures (P4, P5, P6): a header in digits, and rows of pixels as long as it says.
#pragma once

#include "detect/grammar/kind.h"

namespace kura::detect::netpbm {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);

}  // namespace kura::detect::netpbm
