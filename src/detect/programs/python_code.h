// Compiled Python modules (.pyc): one marshalled object, to the last byte.
#pragma once

#include "detect/grammar/report.h"

namespace kura::detect::programs {

bool is_python_code(Window& in);
Report check_python_code(Window& in, Budget& budget);

}  // namespace kura::detect::programs
