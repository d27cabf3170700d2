// Makes the shards of a group from the bytes of its objects.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "archive/format/parity.h"
#include "store/store.h"

namespace kura::archive {

// A shard as it is stored: the concatenation of its parts. Valid as long as the builder, and until it is used again.
struct BuiltShard {
  store::ObjectId id;
  base::Bytes head;
  base::ByteSpan checksums, body;

  std::vector<base::ByteSpan> parts() const { return {head, checksums, body}; }
  std::uint64_t size() const { return head.size() + checksums.size() + body.size(); }
};

// Not shared between threads. Memory: as many times the longest column as there are shards, and 8 bytes a block.
// Costs a pass of ISA-L and one of CRC-64 over what is added, and SHA-256 over the shards.
class ShardBuilder {
 public:
  // `expected_length` in bytes of a shard: what is set aside at once.
  ShardBuilder(unsigned shards, std::uint8_t block_bits, std::uint64_t expected_length);

  // The next object of `column`, which begins at byte `begin` of it.
  void add(unsigned column, std::uint64_t begin, std::span<const base::ByteSpan> parts);
  // When all objects of `group` have been added, in the order of each column.
  std::vector<BuiltShard> build(const ParityGroup& group);
  // For another group.
  void clear();

 private:
  void add_piece(unsigned column, std::uint64_t at, base::ByteSpan piece);

  const std::uint64_t block_size_;
  std::vector<base::Bytes> bodies_;
  std::vector<std::vector<std::vector<std::uint64_t>>> checksums_;  // by column, object and block
  base::Bytes encoded_checksums_;
};

struct BuiltGroup {
  ShardBuilder builder;
  std::vector<BuiltShard> shards;

  std::uint64_t stored_bytes() const;
};
// From the store, every object checked against its name: kDamaged, kNotFound, kIo when one cannot be read whole.
// Memory: the shards and the largest object.
base::Result<BuiltGroup> build_group(store::Store& store, const ParityGroup& group);

// Puts them, two at a time.
base::Status store_shards(store::Store& store, const std::vector<BuiltShard>& shards);

}  // namespace kura::archive
