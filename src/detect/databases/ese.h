// Databases of the Extensible Storage Engine (EDB: Exchange, Active Directory, Windows Search): pages with checksums.
#pragma once

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect::ese {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);

}  // namespace kura::detect::ese
