// FLAC (RFC 9639).
#pragma once

#include "detect/grammar/kind.h"

namespace kura::detect::flac {

bool recognise(Window& in);
Report check(Window& in, Budget& budget);

}  // namespace kura::detect::flac
