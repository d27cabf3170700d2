// Brotli (RFC 7932), streamed out of a window, by Google's library. It has no checksum: codes that no compressor writes
// and lengths that do not fit tell of damage.
#pragma once

#include "detect/codec/inflate.h"

namespace kura::detect {

// Unpacks the stream that begins at the range's offset; `crc32` stays 0. Spends what it reads and makes. Memory is at
// most 17 MiB, by the largest window of the format. Costs about three seconds a GB made.
Inflated unpack_brotli(Window& in, Range range, Budget& budget);

}  // namespace kura::detect
