#include "archive/format/chunk_id.h"

#include <array>

#include "crypto/hash_pieces.h"

namespace kura::archive {
namespace {

constexpr std::size_t kPiece = 4096;        // bytes
constexpr std::uint8_t kManyPieces = 0x80;  // beside the content: no chunk of one piece has the same message

}  // namespace

ChunkId ChunkNamer::name(Content content, base::ByteSpan text) {
  const auto kind = static_cast<std::uint8_t>(content);
  if (naming_ == ChunkNaming::kWhole || text.size() <= kPiece) return keyed_.mac({&kind, 1}, text);
  crypto::sha256_of_pieces(text, kPiece, pieces_);
  const auto size = static_cast<std::uint32_t>(text.size());
  const std::array<std::uint8_t, 5> prefix = {static_cast<std::uint8_t>(kind | kManyPieces),
                                              static_cast<std::uint8_t>(size), static_cast<std::uint8_t>(size >> 8),
                                              static_cast<std::uint8_t>(size >> 16),
                                              static_cast<std::uint8_t>(size >> 24)};
  static_assert(sizeof(crypto::Digest) == 32, "they lie side by side, as the format has them");
  return keyed_.mac(prefix, {pieces_.front().bytes.data(), pieces_.size() * sizeof(crypto::Digest)});
}

}  // namespace kura::archive
