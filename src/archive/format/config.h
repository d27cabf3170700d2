// The config object: what a repository is (docs/format.md, section 3).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/keys.h"

namespace kura::archive {

using RepositoryId = std::array<std::uint8_t, 16>;

// Algorithms of backup/chunker.h.
inline constexpr std::uint8_t kGearChunks = 1;
inline constexpr std::uint8_t kScannedChunks = 2;

// How the id of a chunk comes from its bytes (chunk_id.h).
enum class ChunkNaming : std::uint8_t { kWhole = 1, kPieces = 2 };

struct ChunkerParameters {
  std::uint8_t algorithm = kScannedChunks;
  std::uint8_t normalisation = 2;  // bits by which the mask is harder before, and easier after, the average
  std::uint32_t least = 0;         // bytes
  std::uint32_t average = 0;       // bytes, a power of two
  std::uint32_t most = 0;          // bytes, <= kChunkLimit

  friend bool operator==(const ChunkerParameters&, const ChunkerParameters&) = default;
};

// How much parity a repository keeps (format/parity.h).
struct ParityPolicy {
  std::uint8_t columns = 16;  // about so many packs share ...
  std::uint8_t shards = 2;    // ... so many shards: any so many of them all may be lost

  friend bool operator==(const ParityPolicy&, const ParityPolicy&) = default;
};

struct Config {
  RepositoryId repository{};
  std::int64_t created = 0;  // ns since 1970
  crypto::PublicKey box_key{};
  crypto::PublicKey signing_key{};
  ChunkerParameters files{.least = 256 << 10, .average = 1 << 20, .most = 4 << 20};
  ChunkerParameters listings{.least = 16 << 10, .average = 64 << 10, .most = 256 << 10};
  std::uint32_t pack_target = 32 << 20;       // bytes
  ChunkNaming naming = ChunkNaming::kPieces;  // a config of version 1 says nothing, which is kWhole
  std::optional<ParityPolicy> parity;         // nothing in a config of version 1

  // Whether this program can cut chunks as the config asks, else kUnsupported. A question for writers: readers do not
  // mind how chunks were cut.
  base::Status check_writable() const;

  // The object's bytes, signed with the recovery signing key: version 1 where that says all, else 2.
  base::Bytes encode(const base::Key& signing_seed) const;
  // kUnsupported for another version; kDamaged for anything else, sizes out of bounds and bad signatures among it.
  static base::Result<Config> decode(base::ByteSpan object);
};

}  // namespace kura::archive
