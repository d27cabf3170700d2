// PE (Microsoft's "PE Format"): programs, libraries and drivers of Windows, EFI programs, .NET assemblies.
#pragma once

#include "detect/grammar/report.h"

namespace kura::detect::programs {

bool is_pe(Window& in);
Report check_pe(Window& in, Budget& budget);

}  // namespace kura::detect::programs
