// Windows metafiles: WMF and EMF ([MS-WMF], [MS-EMF]).
#pragma once

#include "detect/grammar/kind.h"

namespace kura::detect::metafile {

bool recognise_wmf(Window& in);
Report check_wmf(Window& in, Budget& budget);
bool recognise_emf(Window& in);
Report check_emf(Window& in, Budget& budget);

}  // namespace kura::detect::metafile
