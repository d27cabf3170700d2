// PostScript, also encapsulated (EPS): text, but for binary data that it announces.
#pragma once

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect::postscript {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);

}  // namespace kura::detect::postscript
