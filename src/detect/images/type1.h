// Type 1 fonts, in text (PFA) and in segments (PFB): Adobe Type 1 Font Format, chapters 2 and 7; Adobe Technical Note
// 5040.
#pragma once

#include "detect/grammar/kind.h"

namespace kura::detect::type1 {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);

}  // namespace kura::detect::type1
