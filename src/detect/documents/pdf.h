// PDF (ISO 32000-1): every byte outside of streams is a word of its language, every stream is undone as far as its
// first filter goes. The cross-reference is not needed for that, and readers do without it too.
#pragma once

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect::pdf {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);

}  // namespace kura::detect::pdf
