// Parity objects (docs/format.md, section 10): what repairs other stored objects, by anybody, without any key.
//
// A *group* is up to 128 columns; a column is one or more objects, one after another. Over them lie a few *shards*,
// each an object of its own: byte n of a shard is a combination of byte n of all columns (parity/code.h). Columns and
// shards are looked at in *rows* of blocks; the checksum of each block says which are as they were, and a row is
// recovered when it has lost no more blocks than there are shards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "store/object.h"

namespace kura::archive {

struct ParityMember {
  store::Kind kind = store::Kind::kPack;  // config, key, pack, index or snapshot
  store::ObjectId id;
  std::uint64_t size = 0;  // bytes, not 0

  friend bool operator==(const ParityMember&, const ParityMember&) = default;
};

struct ParityGroup {
  std::uint8_t shards = 0;      // how many there are
  std::uint8_t block_bits = 0;  // a block has 2^block_bits bytes
  std::vector<std::vector<ParityMember>> columns;

  friend bool operator==(const ParityGroup&, const ParityGroup&) = default;

  std::uint64_t block_size() const { return std::uint64_t{1} << block_bits; }
  // Of an object or shard of `size` bytes; its last one may be shorter.
  std::uint64_t blocks(std::uint64_t size) const { return (size + block_size() - 1) >> block_bits; }
  // Of each shard, bytes: where the longest column ends. In a column each object begins at a block.
  std::uint64_t length() const;
  // Of all objects in it, bytes.
  std::uint64_t data_size() const;
  // How many checksums there are: of the blocks of all objects, and then of all shards.
  std::uint64_t checksum_count() const;
  // The SHA-256 of the encoded group: equal for its shards, and for no others.
  base::Digest name() const;

  base::Bytes encode() const;
};

inline constexpr std::size_t kParityStartSize = 8 + 2 + 1 + 4;
inline constexpr std::size_t kChecksumSize = 8;

// What stands in a shard before the checksums.
struct ParityHead {
  std::uint8_t number = 0;  // of the shard, from 0
  ParityGroup group;

  friend bool operator==(const ParityHead&, const ParityHead&) = default;

  base::Bytes encode() const;
  // How long a head is that begins with these kParityStartSize bytes.
  static base::Result<std::uint64_t> size(base::ByteSpan start);
  // kDamaged unless its own hash, at its end, says that all of it is as it was. Bounded by limits.h.
  static base::Result<ParityHead> decode(base::ByteSpan head);
  // How long the shard must be whose head has `head_size` bytes.
  std::uint64_t object_size(std::uint64_t head_size) const;
};

// The checksums with their hash.
base::Bytes encode_checksums(const std::vector<std::uint64_t>& checksums);
// Those of `group`. kDamaged unless their hash says that all are as they were.
base::Result<std::vector<std::uint64_t>> decode_checksums(const ParityGroup& group, base::ByteSpan bytes);
inline std::uint64_t checksums_size(const ParityGroup& group) {
  return group.checksum_count() * kChecksumSize + sizeof(base::Digest);
}

}  // namespace kura::archive
