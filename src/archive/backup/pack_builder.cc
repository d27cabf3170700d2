#include "archive/backup/pack_builder.h"

#include <algorithm>
#include <chrono>

#include "archive/format/limits.h"
#include "crypto/hash.h"
#include "crypto/random.h"

namespace kura::archive {
namespace {

// Far below the limits of the format: they also bound the footer and what an index takes from a pack.
constexpr std::size_t kMostFrames = 1U << 16;
constexpr std::size_t kMostChunks = 1U << 16;
static_assert(kMostFrames < kFramesPerPackLimit && kMostChunks < kChunksPerPackLimit);

std::uint64_t now_ns() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

}  // namespace

SealingKeys SealingKeys::create(const Config& config, const base::Key& catalog) {
  SealingKeys keys;
  keys.aead = crypto::preferred_aead();
  keys.repository = config.repository;
  keys.session = crypto::random_key();
  keys.catalog = catalog;
  base::Encoder info;
  info.raw(base::as_bytes("kura session v1")).raw(config.repository);
  const base::Bytes sealed = crypto::hpke_seal(config.box_key, info.bytes(), {}, keys.session.span());
  std::ranges::copy(sealed, keys.sealed_session.begin());
  return keys;
}

PackBuilder::PackBuilder(Content content, std::size_t target, base::RawBuffer memory)
    : content_(content), target_(target), bytes_(std::move(memory)) {}

void PackBuilder::add(Compression compression, std::vector<ChunkEntry> chunks, base::ByteSpan text) {
  chunks_ += chunks.size();
  bytes_.append(text);
  bytes_.append(std::array<std::uint8_t, crypto::kTagSize>{});
  record_.frames.push_back({.sealed_size = static_cast<std::uint32_t>(text.size() + crypto::kTagSize),
                            .compression = compression,
                            .chunks = std::move(chunks)});
}

bool PackBuilder::full() const {
  return bytes_.size() >= target_ || record_.frames.size() >= kMostFrames || chunks_ >= kMostChunks;
}

// A hash of randomness, time and the pack's own chunks: a machine set back to an older image, random numbers and clock
// included, still has another key for other contents.
std::array<std::uint8_t, 32> PackBuilder::make_salt() const {
  crypto::Sha256 hash;
  hash.update(crypto::random_bytes(32));
  base::Encoder time;
  time.u64(now_ns());
  hash.update(time.bytes());
  for (const FrameRecord& frame : record_.frames) {
    for (const ChunkEntry& chunk : frame.chunks) hash.update(chunk.id.span());
  }
  return hash.finish().bytes;
}

SealedPack PackBuilder::seal(const SealingKeys& keys) && {
  const PackHeader header{.aead = keys.aead,
                          .content = content_,
                          .repository = keys.repository,
                          .salt = make_salt(),
                          .session = keys.sealed_session};
  crypto::Aead cipher(keys.aead, frame_key(keys.session, header));
  std::size_t offset = 0;
  for (std::uint32_t number = 0; const FrameRecord& frame : record_.frames) {
    const base::MutableByteSpan sealed = bytes_.writable().subspan(offset, frame.sealed_size);
    cipher.seal(crypto::Nonce::counter(number), header.associated(number),
                sealed.first(sealed.size() - crypto::kTagSize), sealed.last(crypto::kTagSize));
    offset += frame.sealed_size;
    ++number;
  }

  SealedPack pack;
  pack.header = header.encode();
  pack.footer = seal_footer(header, record_, keys.catalog);
  crypto::Sha256 name;
  name.update(pack.header);
  name.update(bytes_.span());
  name.update(pack.footer);
  pack.id = name.finish();
  pack.frames = std::move(bytes_);
  pack.record = std::move(record_);
  return pack;
}

}  // namespace kura::archive
