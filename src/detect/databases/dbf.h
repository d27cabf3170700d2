// Tables of dBASE and FoxPro, record by record, and the memos beside them.
#pragma once

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect::dbf {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);

bool recognise_memo(Window& in);
Report check_memo(Window& in, Budget& budget);

}  // namespace kura::detect::dbf
