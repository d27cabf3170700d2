#include "vault/derived/record.h"

#include <cstring>
#include <utility>

#include "archive/backup/compress.h"
#include "archive/repo/decompress.h"
#include "base/codec.h"

namespace kura::vault {
namespace {

using archive::NeededPacks;
using base::Bytes;
using base::ByteSpan;
using store::ObjectId;

constexpr std::size_t kBeginning = 8;  // bytes of an index's id
constexpr std::size_t kMacSize = 32;

std::uint64_t beginning_of(ByteSpan id) {
  std::uint64_t value = 0;
  std::memcpy(&value, id.data(), kBeginning);
  return value;
}

// What a value says after its HMAC. Nothing where it is not made like that.
std::optional<Bytes> text_of(ByteSpan value) {
  base::Decoder in(value);
  const std::uint8_t how = in.u8();
  const std::uint64_t size = in.varint();
  if (!in.ok() || size > kNeedsLimit) return std::nullopt;
  if (how == static_cast<std::uint8_t>(archive::Compression::kNone)) return Bytes(in.rest().begin(), in.rest().end());
  Bytes text(size);
  const bool opened =
      how == static_cast<std::uint8_t>(archive::Compression::kZstd) && archive::decompress(in.rest(), text);
  return opened ? std::optional(std::move(text)) : std::nullopt;
}

}  // namespace

IndexNames::IndexNames(std::span<const ObjectId> indexes) {
  for (const ObjectId& id : indexes) {
    const auto [at, is_new] = names_.emplace(beginning_of(id.span()), id);
    if (!is_new && at->second != id) at->second.reset();
  }
}

std::optional<ObjectId> IndexNames::find(ByteSpan beginning) const {
  const auto at = names_.find(beginning_of(beginning));
  return at == names_.end() ? std::nullopt : at->second;
}

base::Digest Records::mac_of(const ObjectId& snapshot, std::span<const NeededPacks> needs) {
  base::Encoder said;
  said.string("needs").raw(snapshot.span());
  for (const NeededPacks& need : needs) said.raw(need.index.span()).string(need.bits);
  return mac_.mac(said.bytes());
}

base::Digest Records::mac_of(store::Kind kind, const store::Lock& lock) {
  base::Encoder said;
  said.string("lock").u8(static_cast<std::uint8_t>(kind)).raw(lock.id.span()).i64(lock.until);
  return mac_.mac(said.bytes());
}

std::optional<Bytes> Records::encode_needs(const ObjectId& snapshot, std::span<const NeededPacks> needs) {
  base::Encoder text;
  for (const NeededPacks& need : needs) text.raw(need.index.span().first(kBeginning)).string(need.bits);
  if (text.size() > kNeedsLimit) return std::nullopt;
  static thread_local archive::Compressor compressor;
  const archive::Compressor::Outcome stored = compressor.compress(text.bytes());
  base::Encoder value;
  value.raw(mac_of(snapshot, needs).span());
  value.u8(static_cast<std::uint8_t>(stored.compression)).varint(text.size()).raw(stored.bytes);
  return value.take();
}

std::optional<std::vector<NeededPacks>> Records::decode_needs(const ObjectId& snapshot, ByteSpan value,
                                                              const IndexNames& indexes) {
  if (value.size() < kMacSize) return std::nullopt;
  const std::optional<Bytes> text = text_of(value.subspan(kMacSize));
  if (!text) return std::nullopt;
  base::Decoder in(*text);
  std::vector<NeededPacks> needs;
  while (in.ok() && !in.at_end()) {
    const ByteSpan beginning = in.raw(kBeginning);
    const ByteSpan bits = in.string(kNeedsLimit);
    if (!in.ok()) return std::nullopt;
    const std::optional<ObjectId> index = indexes.find(beginning);
    if (!index) return std::nullopt;
    needs.push_back({.index = *index, .bits = {bits.begin(), bits.end()}});
  }
  if (!in.ok() || !crypto::equal_constant_time(mac_of(snapshot, needs).span(), value.first(kMacSize))) {
    return std::nullopt;
  }
  return needs;
}

Bytes Records::encode_lock(store::Kind kind, const store::Lock& lock) {
  base::Encoder value;
  value.raw(mac_of(kind, lock).span()).i64(lock.until);
  return value.take();
}

std::optional<store::Lock> Records::decode_lock(store::Kind kind, const ObjectId& id, ByteSpan value) {
  base::Decoder in(value);
  const ByteSpan mac = in.raw(kMacSize);
  const store::Lock lock{.id = id, .until = in.i64()};
  const bool is_ours = in.ok() && in.at_end() && crypto::equal_constant_time(mac_of(kind, lock).span(), mac);
  return is_ours ? std::optional(lock) : std::nullopt;
}

}  // namespace kura::vault
