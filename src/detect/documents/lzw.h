// LZW as PDF and PostScript have it (ISO 32000-1, 7.4.4): codes only, nothing is unpacked.
#pragma once

#include "detect/documents/pictures.h"

namespace kura::detect {

// Where a code stands that no compressor could have written there, or the stream ends far before its range.
BrokenAt lzw_breaks(Window& in, Range range, Budget& budget);

}  // namespace kura::detect
