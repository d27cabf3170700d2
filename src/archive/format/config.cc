#include "archive/format/config.h"

#include <bit>

#include <fmt/format.h>

#include "archive/format/limits.h"
#include "archive/format/object_head.h"
#include "base/codec.h"

namespace kura::archive {
namespace {

using base::Status;

constexpr std::string_view kConfigMagic = "KURACONF";
constexpr std::string_view kTheConfig = "the config";
constexpr ParityPolicy kNoParity{.columns = 0, .shards = 0};  // as it is stored
constexpr std::uint8_t kMostNormalisation = 16;

void encode_chunker(base::Encoder& out, const ChunkerParameters& chunker) {
  out.u8(chunker.algorithm).u8(chunker.normalisation).u32(chunker.least).u32(chunker.average).u32(chunker.most);
}

ChunkerParameters decode_chunker(base::Decoder& in) {
  ChunkerParameters chunker;
  chunker.algorithm = in.u8();
  chunker.normalisation = in.u8();
  chunker.least = in.u32();
  chunker.average = in.u32();
  chunker.most = in.u32();
  return chunker;
}

bool in_bounds(const ChunkerParameters& chunker) {
  return chunker.least >= 1 && chunker.least <= chunker.average && chunker.average <= chunker.most &&
         chunker.most <= kChunkLimit;
}

bool in_bounds(const ParityPolicy& parity) {
  return parity.columns >= 1 && parity.columns <= kParityColumnLimit && parity.shards >= 1 &&
         parity.shards <= kParityShardLimit;
}

bool can_cut(const ChunkerParameters& chunker) {
  const bool is_known = chunker.algorithm == kGearChunks || chunker.algorithm == kScannedChunks;
  return is_known && std::has_single_bit(chunker.average) && chunker.normalisation <= kMostNormalisation &&
         chunker.normalisation < std::bit_width(chunker.average);
}

Status check(const Config& config) {
  if (!in_bounds(config.files)) return damaged(kTheConfig, "the sizes of chunks of files are out of bounds");
  if (!in_bounds(config.listings)) return damaged(kTheConfig, "the sizes of chunks of listings are out of bounds");
  if (config.pack_target == 0 || config.pack_target > kPackLimit) {
    return damaged(kTheConfig, "the size of packs is out of bounds");
  }
  if (config.parity && !in_bounds(*config.parity)) return damaged(kTheConfig, "its parity is out of bounds");
  if (!crypto::x25519_is_usable(config.box_key)) return damaged(kTheConfig, "nothing can be sealed to its box key");
  return {};
}

// Asked last, of a config that is whole: another way is a newer program's.
base::Result<ChunkNaming> known_naming(std::uint8_t naming) {
  for (const ChunkNaming known : {ChunkNaming::kWhole, ChunkNaming::kPieces}) {
    if (naming == static_cast<std::uint8_t>(known)) return known;
  }
  return base::fail(
      base::ErrorCode::kUnsupported,
      fmt::format("this repository names chunks by algorithm {}, which this program does not know", naming),
      "use a newer kura");
}

}  // namespace

Status Config::check_writable() const {
  if (can_cut(files) && can_cut(listings)) return {};
  return base::fail(
      base::ErrorCode::kUnsupported,
      fmt::format("this repository cuts files by algorithm {} and listings by algorithm {}, in a way that "
                  "this program does not know",
                  files.algorithm, listings.algorithm),
      "use a newer kura for backups; this one can still read");
}

base::Bytes Config::encode(const base::Key& signing_seed) const {
  base::Encoder out;
  const bool says_more = naming != ChunkNaming::kWhole || parity.has_value();
  encode_head(out, kConfigMagic, says_more ? kNewestConfigVersion : kFormatVersion);
  out.raw(repository).i64(created).raw(box_key).raw(signing_key);
  encode_chunker(out, files);
  encode_chunker(out, listings);
  out.u32(pack_target);
  if (says_more) {
    const ParityPolicy kept = parity.value_or(kNoParity);
    out.u8(static_cast<std::uint8_t>(naming)).u8(kept.columns).u8(kept.shards);
  }
  out.raw(crypto::ed25519_sign(signing_seed, out.bytes()));
  return out.take();
}

base::Result<Config> Config::decode(base::ByteSpan object) {
  base::Decoder in(object);
  const std::uint16_t version =
      KURA_TRY(decode_head_of(in, kConfigMagic, kConfigLimit, kTheConfig, kNewestConfigVersion));
  Config config;
  in.copy(config.repository);
  config.created = in.i64();
  in.copy(config.box_key);
  in.copy(config.signing_key);
  config.files = decode_chunker(in);
  config.listings = decode_chunker(in);
  config.pack_target = in.u32();
  const std::uint8_t naming = version == kFormatVersion ? 1 : in.u8();
  ParityPolicy parity = kNoParity;
  if (version != kFormatVersion) parity = {.columns = in.u8(), .shards = in.u8()};
  if (parity != kNoParity) config.parity = parity;
  const std::size_t signed_size = in.position();
  const base::ByteSpan signature = in.raw(sizeof(crypto::Signature));
  KURA_TRY(in.finish(kTheConfig));
  if (!crypto::ed25519_verify(config.signing_key, object.first(signed_size), signature)) {
    return damaged(kTheConfig, "its signature does not match");
  }
  KURA_TRY(check(config));
  config.naming = KURA_TRY(known_naming(naming));
  return config;
}

}  // namespace kura::archive
