#include "vault/derived/record.h"

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

constexpr std::size_t kMacSize = 32;

// Of what encode_needs() stored; nothing where that cannot be.
std::optional<Bytes> text_of(ByteSpan stored) {
  base::Decoder in(stored);
  const std::uint8_t how = in.u8();
  const std::uint64_t size = in.varint();
  if (!in.ok() || size > kNeedsLimit) return std::nullopt;
  if (how == static_cast<std::uint8_t>(archive::Compression::kNone)) return Bytes(in.rest().begin(), in.rest().end());
  Bytes text(size);
  return archive::decompress(in.rest(), text) ? std::optional(std::move(text)) : std::nullopt;
}

}  // namespace

IndexNames::Beginning IndexNames::beginning_of(ByteSpan id) {
  Beginning beginning;
  std::memcpy(beginning.data(), id.data(), beginning.size());
  return beginning;
}

IndexNames::IndexNames(std::span<const ObjectId> indexes) {
  for (const ObjectId& id : indexes) {
    const auto [at, is_new] = names_.emplace(beginning_of(id.span()), id);
    if (!is_new && at->second != id) at->second.reset();
  }
}

const ObjectId* IndexNames::find(ByteSpan beginning) const {
  const auto at = names_.find(beginning_of(beginning));
  return at == names_.end() || !at->second ? nullptr : &*at->second;
}

base::Digest Records::mac_of(const ObjectId& snapshot, ByteSpan stored) {
  base::Encoder about;
  about.string("needs").raw(snapshot.span());
  return mac_.mac(about.bytes(), stored);
}

base::Digest Records::mac_of(store::Kind kind, const store::Lock& lock) {
  base::Encoder said;
  said.string("lock").u8(static_cast<std::uint8_t>(kind)).raw(lock.id.span()).i64(lock.until);
  return mac_.mac(said.bytes());
}

std::optional<Bytes> Records::encode_needs(const ObjectId& snapshot, std::span<const NeededPacks> needs) {
  base::Encoder text;
  for (const NeededPacks& need : needs) text.raw(need.index.span().first(kIndexBeginning)).string(need.bits);
  if (text.size() > kNeedsLimit) return std::nullopt;
  static thread_local archive::Compressor compressor;
  const archive::Compressor::Outcome outcome = compressor.compress(text.bytes());
  base::Encoder stored;
  stored.u8(static_cast<std::uint8_t>(outcome.compression)).varint(text.size()).raw(outcome.bytes);
  base::Encoder value;
  value.raw(mac_of(snapshot, stored.bytes()).span()).raw(stored.bytes());
  return value.take();
}

std::optional<std::vector<NeededPacks>> Records::decode_needs(const ObjectId& snapshot, ByteSpan value,
                                                              const IndexNames& indexes) {
  if (value.size() < kMacSize) return std::nullopt;
  const ByteSpan stored = value.subspan(kMacSize);
  if (!crypto::equal_constant_time(mac_of(snapshot, stored).span(), value.first(kMacSize))) return std::nullopt;
  const std::optional<Bytes> text = text_of(stored);
  if (!text) return std::nullopt;
  base::Decoder in(*text);
  std::vector<NeededPacks> needs;
  while (!in.at_end()) {
    const ByteSpan beginning = in.raw(kIndexBeginning);
    const ByteSpan bits = in.string(kNeedsLimit);
    const ObjectId* const index = in.ok() ? indexes.find(beginning) : nullptr;
    if (index == nullptr) return std::nullopt;
    needs.push_back({.index = *index, .bits = {bits.begin(), bits.end()}});
  }
  return in.ok() ? std::optional(std::move(needs)) : std::nullopt;
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
