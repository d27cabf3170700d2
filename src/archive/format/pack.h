// Packs: head, record of frames and chunks, footer (docs/format.md, section 5). What is sealed in frames is not
// looked at here.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "archive/format/config.h"
#include "base/bytes.h"
#include "base/codec.h"
#include "base/error.h"
#include "crypto/aead.h"
#include "crypto/keys.h"
#include "store/object.h"

namespace kura::archive {

enum class Content : std::uint8_t { kFile = 1, kListing = 2 };
enum class Compression : std::uint8_t { kNone = 0, kZstd = 1 };
using ChunkId = base::Digest;  // chunk_id.h

struct ChunkEntry {
  ChunkId id;
  std::uint32_t size = 0;  // bytes of the chunk itself, not 0

  friend bool operator==(const ChunkEntry&, const ChunkEntry&) = default;
};

struct FrameRecord {
  std::uint32_t sealed_size = 0;  // as stored, with tag
  Compression compression = Compression::kNone;
  std::vector<ChunkEntry> chunks;

  friend bool operator==(const FrameRecord&, const FrameRecord&) = default;
  std::uint32_t text_size() const;  // sum of the chunks' sizes
};

struct PackRecord {
  std::vector<FrameRecord> frames;

  friend bool operator==(const PackRecord&, const PackRecord&) = default;
  void encode(base::Encoder& out) const;
  // Bounded by limits.h; fails through `in`.
  static PackRecord decode(base::Decoder& in);
  // Size in bytes of the pack object that has exactly these frames and this record as its footer.
  std::uint64_t pack_size() const;
};

inline constexpr std::size_t kPackHeadSize = 28;
inline constexpr std::size_t kSealedSessionSize = 32 + crypto::kHpkeOverhead;
inline constexpr std::size_t kPackHeaderSize = kPackHeadSize + 32 + kSealedSessionSize;  // 140
inline constexpr std::size_t kPackTrailerSize = 8;

using SealedSession = std::array<std::uint8_t, kSealedSessionSize>;

struct PackHeader {
  crypto::AeadKind aead = crypto::AeadKind::kAes256Gcm;
  Content content = Content::kFile;
  RepositoryId repository{};
  std::array<std::uint8_t, 32> salt{};
  SealedSession session{};

  std::array<std::uint8_t, kPackHeaderSize> encode() const;
  // `bytes`: at least kPackHeaderSize.
  static base::Result<PackHeader> decode(base::ByteSpan bytes);

  // The associated data of a frame or, with kFooterNumber, of the footer.
  std::array<std::uint8_t, kPackHeadSize + 4> associated(std::uint32_t number) const;
};
inline constexpr std::uint32_t kFooterNumber = 0xffffffff;

// Seals `record` as the pack's footer and appends the trailer: what follows the last frame.
base::Bytes seal_footer(const PackHeader& header, const PackRecord& record, const base::Key& catalog_key);
// From a pack's trailer (its last 8 bytes): the size of the sealed footer, checked against the pack's size.
base::Result<std::uint32_t> footer_size(base::ByteSpan trailer, std::uint64_t pack_size);
// kDamaged when it does not open, or its frames do not fill the pack exactly.
base::Result<PackRecord> open_footer(const PackHeader& header, base::ByteSpan sealed, std::uint64_t pack_size,
                                     const base::Key& catalog_key);

// The key of a pack's frames.
base::Key frame_key(const base::Key& session_key, const PackHeader& header);

}  // namespace kura::archive
