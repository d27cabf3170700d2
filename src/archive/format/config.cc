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
  if (!crypto::x25519_is_usable(config.box_key)) return damaged(kTheConfig, "nothing can be sealed to its box key");
  return {};
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
  encode_head(out, kConfigMagic);
  out.raw(repository).i64(created).raw(box_key).raw(signing_key);
  encode_chunker(out, files);
  encode_chunker(out, listings);
  out.u32(pack_target);
  out.raw(crypto::ed25519_sign(signing_seed, out.bytes()));
  return out.take();
}

base::Result<Config> Config::decode(base::ByteSpan object) {
  base::Decoder in(object);
  KURA_TRY(decode_head(in, kConfigMagic, kConfigLimit, kTheConfig));
  Config config;
  in.copy(config.repository);
  config.created = in.i64();
  in.copy(config.box_key);
  in.copy(config.signing_key);
  config.files = decode_chunker(in);
  config.listings = decode_chunker(in);
  config.pack_target = in.u32();
  const std::size_t signed_size = in.position();
  const base::ByteSpan signature = in.raw(sizeof(crypto::Signature));
  KURA_TRY(in.finish(kTheConfig));
  if (!crypto::ed25519_verify(config.signing_key, object.first(signed_size), signature)) {
    return damaged(kTheConfig, "its signature does not match");
  }
  KURA_TRY(check(config));
  return config;
}

}  // namespace kura::archive
