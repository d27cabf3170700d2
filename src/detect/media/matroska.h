// Matroska and WebM (RFC 9559, in EBML, RFC 8794).
#pragma once

#include "detect/grammar/kind.h"

namespace kura::detect::matroska {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);

}  // namespace kura::detect::matroska
