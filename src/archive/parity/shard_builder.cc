#include "archive/parity/shard_builder.h"

#include <algorithm>
#include <array>
#include <utility>

#include "archive/format/limits.h"
#include "archive/parity/code.h"
#include "base/parallel.h"
#include "crypto/hash.h"

namespace kura::archive {

ShardBuilder::ShardBuilder(unsigned shards, std::uint8_t block_bits, std::uint64_t expected_length)
    : block_size_(std::uint64_t{1} << block_bits), bodies_(shards) {
  for (base::Bytes& body : bodies_) body.reserve(expected_length);
}

void ShardBuilder::clear() {
  for (base::Bytes& body : bodies_) body.clear();
  checksums_.clear();
}

void ShardBuilder::add_piece(unsigned column, std::uint64_t at, base::ByteSpan piece) {
  std::array<base::MutableByteSpan, kParityShardLimit> rows;
  for (std::size_t i = 0; i < bodies_.size(); ++i) {
    rows[i] = base::MutableByteSpan(bodies_[i]).subspan(at, piece.size());
  }
  add_to_shards(column, piece, std::span(rows).first(bodies_.size()));
}

void ShardBuilder::add(unsigned column, std::uint64_t begin, std::span<const base::ByteSpan> parts) {
  const std::uint64_t end = begin + base::total_size(parts);
  for (base::Bytes& body : bodies_) body.resize(std::max<std::uint64_t>(body.size(), end));
  if (checksums_.size() <= column) checksums_.resize(column + 1U);
  std::vector<std::uint64_t>& checksums = checksums_[column].emplace_back();
  // Block by block, while it is in the processor's cache.
  std::uint64_t at = begin, checksum = 0;
  for (base::ByteSpan part : parts) {
    while (!part.empty()) {
      const std::uint64_t room = block_size_ - (at - begin) % block_size_;
      const base::ByteSpan piece = part.first(std::min<std::uint64_t>(room, part.size()));
      part = part.subspan(piece.size());
      checksum = block_checksum(piece, checksum);
      add_piece(column, at, piece);
      at += piece.size();
      if (piece.size() == room || at == end) checksums.push_back(std::exchange(checksum, 0));
    }
  }
}

std::vector<BuiltShard> ShardBuilder::build(const ParityGroup& group) {
  std::vector<std::uint64_t> all;
  for (const auto& column : checksums_) {
    for (const auto& object : column) all.insert(all.end(), object.begin(), object.end());
  }
  for (const base::ByteSpan body : bodies_) {
    for (std::uint64_t at = 0; at < body.size(); at += block_size_) {
      all.push_back(block_checksum(body.subspan(at, std::min(block_size_, body.size() - at))));
    }
  }
  encoded_checksums_ = encode_checksums(all);
  std::vector<BuiltShard> shards;
  for (std::size_t i = 0; i < bodies_.size(); ++i) {
    BuiltShard shard;
    shard.head = ParityHead{.number = static_cast<std::uint8_t>(i), .group = group}.encode();
    shard.checksums = encoded_checksums_;
    shard.body = bodies_[i];
    crypto::Sha256 hash;
    for (const base::ByteSpan part : shard.parts()) hash.update(part);
    shard.id = hash.finish();
    shards.push_back(std::move(shard));
  }
  return shards;
}

std::uint64_t BuiltGroup::stored_bytes() const {
  std::uint64_t bytes = 0;
  for (const BuiltShard& shard : shards) bytes += shard.size();
  return bytes;
}

base::Result<BuiltGroup> build_group(store::Store& store, const ParityGroup& group) {
  ShardBuilder builder(group.shards, group.block_bits, group.length());
  for (unsigned column = 0; column < group.columns.size(); ++column) {
    std::uint64_t begin = 0;
    for (const ParityMember& member : group.columns[column]) {
      const base::Bytes bytes = KURA_TRY(store.get(member.kind, member.id, member.size));
      const base::ByteSpan parts[] = {bytes};
      builder.add(column, begin, parts);
      begin += group.blocks(member.size) << group.block_bits;
    }
  }
  std::vector<BuiltShard> shards = builder.build(group);
  return BuiltGroup{.builder = std::move(builder), .shards = std::move(shards)};
}

base::Status store_shards(store::Store& store, const std::vector<BuiltShard>& shards) {
  constexpr unsigned kThreads = 2;
  return base::each_on_threads(shards.size(), kThreads, [&](std::size_t i) {
    return store.put(store::Kind::kParity, shards[i].id, shards[i].parts());
  });
}

}  // namespace kura::archive
