// Ids of chunks: a keyed hash of the bytes and of what they are (docs/format.md, section 5). Equal ids are equal bytes,
// and without the key they tell nothing.
#pragma once

#include <vector>

#include "archive/format/config.h"
#include "archive/format/pack.h"
#include "base/bytes.h"
#include "crypto/hash.h"

namespace kura::archive {

// Not shared between threads; a copy for another thread by clone(). Cost: with kPieces about a third of SHA-256's where
// the processor hashes many pieces at once (crypto/hash_pieces.h), with kWhole all of it.
class ChunkNamer {
 public:
  ChunkNamer(const base::Key& chunk_id_key, ChunkNaming naming) : keyed_(chunk_id_key), naming_(naming) {}
  ChunkNamer clone() const { return {keyed_.clone(), naming_}; }

  ChunkId name(Content content, base::ByteSpan text);

 private:
  ChunkNamer(crypto::HmacSha256 keyed, ChunkNaming naming) : keyed_(std::move(keyed)), naming_(naming) {}

  crypto::HmacSha256 keyed_;
  ChunkNaming naming_;
  std::vector<crypto::Digest> pieces_;
};

}  // namespace kura::archive
