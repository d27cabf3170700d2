#include "archive/repo/checksum.h"

// The header alone: one library less to load at every start.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace kura::archive {

std::uint64_t checksum(base::ByteSpan bytes, std::uint64_t place) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), place);
}

}  // namespace kura::archive
