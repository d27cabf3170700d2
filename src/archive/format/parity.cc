#include "archive/format/parity.h"

#include <algorithm>
#include <optional>

#include "archive/format/limits.h"
#include "archive/format/object_head.h"
#include "base/codec.h"
#include "crypto/hash.h"

namespace kura::archive {
namespace {

using base::Result;
using store::Kind;

constexpr std::string_view kParityMagic = "KURAPARI";
constexpr std::string_view kTheParity = "the parity";
constexpr std::uint8_t kLeastBlockBits = 9, kMostBlockBits = 20;
constexpr std::size_t kMemberSize = 1 + 32 + 8;

// In the order of their codes, from 1.
constexpr std::array kMemberKinds = {Kind::kConfig, Kind::kKey, Kind::kPack, Kind::kIndex, Kind::kSnapshot};

std::uint8_t code_of(Kind kind) {
  return static_cast<std::uint8_t>(1 + (std::ranges::find(kMemberKinds, kind) - kMemberKinds.begin()));
}

std::vector<ParityMember> decode_column(base::Decoder& in) {
  const std::uint32_t count = in.u32();
  if (count == 0) in.fail("a column is empty");
  if (count > in.rest().size() / kMemberSize) in.fail("it promises more objects than it has bytes for");
  std::vector<ParityMember> column;
  if (in.ok()) column.reserve(count);
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    const std::uint8_t code = in.u8();
    if (code < 1 || code > kMemberKinds.size()) in.fail("it is over a kind of object that has no parity");
    if (!in.ok()) break;
    ParityMember member;
    member.kind = kMemberKinds[code - 1U];
    member.id = in.digest();
    member.size = in.u64();
    if (member.size == 0 || member.size > kPackLimit) in.fail("the size of an object is out of bounds");
    column.push_back(member);
  }
  return column;
}

ParityGroup decode_group(base::Decoder& in) {
  ParityGroup group;
  group.shards = in.u8();
  group.block_bits = in.u8();
  const unsigned columns = in.u8();
  if (in.ok() && (group.shards < 1 || group.shards > kParityShardLimit)) in.fail("its shards are out of bounds");
  if (in.ok() && (group.block_bits < kLeastBlockBits || group.block_bits > kMostBlockBits)) {
    in.fail("the size of its blocks is out of bounds");
  }
  if (in.ok() && (columns < 1 || columns > kParityColumnLimit)) in.fail("its columns are out of bounds");
  for (unsigned i = 0; i < columns && in.ok(); ++i) group.columns.push_back(decode_column(in));
  if (in.ok() && group.length() > kParityLengthLimit) in.fail("a column is longer than allowed");
  return group;
}

}  // namespace

std::uint64_t ParityGroup::length() const {
  std::uint64_t longest = 0;
  for (const auto& column : columns) {
    std::uint64_t block = 0, end = 0;
    for (const ParityMember& member : column) {
      end = (block << block_bits) + member.size;
      block += blocks(member.size);
    }
    longest = std::max(longest, end);
  }
  return longest;
}

std::uint64_t ParityGroup::data_size() const {
  std::uint64_t size = 0;
  for (const auto& column : columns) {
    for (const ParityMember& member : column) size += member.size;
  }
  return size;
}

std::uint64_t ParityGroup::checksum_count() const {
  std::uint64_t count = shards * blocks(length());
  for (const auto& column : columns) {
    for (const ParityMember& member : column) count += blocks(member.size);
  }
  return count;
}

base::Digest ParityGroup::name() const { return crypto::sha256(encode()); }

base::Bytes ParityGroup::encode() const {
  base::Encoder out;
  out.u8(shards).u8(block_bits).u8(static_cast<std::uint8_t>(columns.size()));
  for (const auto& column : columns) {
    out.u32(static_cast<std::uint32_t>(column.size()));
    for (const ParityMember& member : column) out.u8(code_of(member.kind)).raw(member.id.span()).u64(member.size);
  }
  return out.take();
}

base::Bytes ParityHead::encode() const {
  base::Encoder out;
  encode_head(out, kParityMagic);
  const base::Bytes list = group.encode();
  out.u8(number).u32(static_cast<std::uint32_t>(list.size())).raw(list);
  out.raw(crypto::sha256(out.bytes()).span());
  return out.take();
}

Result<std::uint64_t> ParityHead::size(base::ByteSpan start) {
  base::Decoder in(start);
  KURA_TRY(decode_head(in, kParityMagic, kParityStartSize, kTheParity));
  in.u8();
  const std::uint32_t list = in.u32();
  KURA_TRY(in.finish(kTheParity));
  if (list > kParityListLimit) return damaged(kTheParity, "its list is longer than allowed");
  return kParityStartSize + list + sizeof(base::Digest);
}

Result<ParityHead> ParityHead::decode(base::ByteSpan head) {
  base::Decoder in(head);
  KURA_TRY(decode_head(in, kParityMagic, kParityStartSize + kParityListLimit + sizeof(base::Digest), kTheParity));
  ParityHead result;
  result.number = in.u8();
  const std::uint32_t list = in.u32();
  base::Decoder group(in.raw(list));
  const std::size_t hashed = in.position();
  const base::Digest hash = in.digest();
  KURA_TRY(in.finish(kTheParity));
  if (crypto::sha256(head.first(hashed)) != hash) return damaged(kTheParity, "its list is not what it was");
  result.group = decode_group(group);
  KURA_TRY(group.finish(kTheParity));
  if (result.number >= result.group.shards) return damaged(kTheParity, "it has no shard of its number");
  return result;
}

std::uint64_t ParityHead::object_size(std::uint64_t head_size) const {
  return head_size + checksums_size(group) + group.length();
}

base::Bytes encode_checksums(const std::vector<std::uint64_t>& checksums) {
  base::Encoder out;
  for (const std::uint64_t checksum : checksums) out.u64(checksum);
  out.raw(crypto::sha256(out.bytes()).span());
  return out.take();
}

Result<std::vector<std::uint64_t>> decode_checksums(const ParityGroup& group, base::ByteSpan bytes) {
  if (bytes.size() != checksums_size(group)) return damaged(kTheParity, "its checksums end too early");
  const std::size_t size = bytes.size() - sizeof(base::Digest);
  if (crypto::sha256(bytes.first(size)) != base::Digest::from_bytes(bytes.subspan(size))) {
    return damaged(kTheParity, "its checksums are not what they were");
  }
  base::Decoder in(bytes.first(size));
  std::vector<std::uint64_t> checksums(size / kChecksumSize);
  for (std::uint64_t& checksum : checksums) checksum = in.u64();
  return checksums;
}

}  // namespace kura::archive
