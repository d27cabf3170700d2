// SHA-256 of many short messages side by side: the processor's wide registers hash up to 16 at once, which takes a
// third of the time that hashing one after the other does (docs/performance.md). By Intel's multi-buffer library for
// IPsec, where the processor suits it, else by OpenSSL. The digests are the same.
#pragma once

#include <cstddef>
#include <vector>

#include "crypto/hash.h"

namespace kura::crypto {

inline constexpr std::size_t kMostPiece = 16384;  // bytes: the library's lanes count in 16 bits

// The SHA-256 of each `piece` bytes of `text`, in order; the last may be shorter. 0 < piece <= kMostPiece. May be
// called from many threads, each of which keeps a state of some 100 KiB from its first call on.
void sha256_of_pieces(ByteSpan text, std::size_t piece, std::vector<Digest>& digests);

}  // namespace kura::crypto
