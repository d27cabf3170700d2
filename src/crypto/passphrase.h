// Argon2id (RFC 9106, by libargon2): a key from a passphrase, slow and large on purpose.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"

namespace kura::crypto {

inline constexpr std::size_t kPassphraseSaltSize = 16;

// Parallelism is always 1. The defaults take about 0.1 to 0.2 s and 64 MiB.
struct PassphraseCost {
  std::uint32_t passes = 3;
  std::uint32_t memory_kib = 64 * 1024;
};

// The most that a stored object may ask of its reader: beyond that it is refused, not obeyed.
inline constexpr PassphraseCost kPassphraseCostLimit{.passes = 16, .memory_kib = 2 * 1024 * 1024};

// `salt` has kPassphraseSaltSize bytes. kUnsupported when the cost is outside of Argon2's range or of the limit,
// kNoSpace when the memory cannot be had.
base::Result<base::Key> key_from_passphrase(std::string_view passphrase, base::ByteSpan salt,
                                            const PassphraseCost& cost);

}  // namespace kura::crypto
