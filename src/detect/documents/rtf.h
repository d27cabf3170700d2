// Rich text (Microsoft's RTF specification 1.9.1): text in 7 bits, groups that balance.
#pragma once

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect::rtf {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);

}  // namespace kura::detect::rtf
