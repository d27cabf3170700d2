// Outlook's stores ([MS-PST]): PST and OST, with pages and blocks of 512 bytes or 4 KiB, all with checksums.
#pragma once

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect::pst {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);

}  // namespace kura::detect::pst
