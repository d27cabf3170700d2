// A checksum against accidents in cache files: torn writes, flipped bits. No proof against anybody.
#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace kura::archive {

// XXH3, of 64 bits: about 10 GB/s. Another `place` gives another sum, so that what belongs elsewhere is seen.
std::uint64_t checksum(base::ByteSpan bytes, std::uint64_t place);

}  // namespace kura::archive
