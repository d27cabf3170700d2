// Databases of Access, MDB and ACCDB: pages of known types, whose rows lie in order.
#pragma once

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect::jet {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);

bool recognise_accdb(Window& in);

}  // namespace kura::detect::jet
