// JPEG 2000 (ISO 15444-1): bare codestreams, and JP2 files, whose boxes hold one.
#pragma once

#include "detect/grammar/kind.h"

namespace kura::detect::jpeg2000 {

bool recognise(Window& in);
// Follows boxes, markers and the lengths of tile parts. Of the coded data it asks what the coder promises: that no byte
// above 0x8F follows an 0xFF, since those are markers. Noise breaks that once in 590 bytes.
Report check(Window& in, Budget& budget);

}  // namespace kura::detect::jpeg2000
