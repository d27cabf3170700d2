// WebAssembly modules (WebAssembly Core Specification, section 5.5): sections, and the functions' bodies in theirs.
#pragma once

#include "detect/grammar/report.h"

namespace kura::detect::programs {

bool is_wasm(Window& in);
Report check_wasm(Window& in, Budget& budget);

}  // namespace kura::detect::programs
