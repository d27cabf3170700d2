// Gathers frames into a pack and seals it (docs/format.md, section 5).
#pragma once

#include <memory>
#include <vector>

#include "archive/format/pack.h"
#include "base/bytes.h"
#include "base/raw_buffer.h"

namespace kura::archive {

// What all packs of one backup share.
struct SealingKeys {
  crypto::AeadKind aead = crypto::AeadKind::kAes256Gcm;
  RepositoryId repository{};
  base::Key session;               // random, for this backup only
  SealedSession sealed_session{};  // the same, to the repository's box key
  base::Key catalog;

  // A new session key, sealed to the repository of `config`.
  static SealingKeys create(const Config& config, const base::Key& catalog);
};

// A pack as it is stored: its bytes are the concatenation of header, frames and footer.
struct SealedPack {
  store::ObjectId id;
  std::array<std::uint8_t, kPackHeaderSize> header{};
  base::RawBuffer frames;
  base::Bytes footer;
  PackRecord record;

  std::uint64_t size() const { return header.size() + frames.size() + footer.size(); }
};

// An open pack of one content type. Not shared between threads.
class PackBuilder {
 public:
  // `memory` is empty; its capacity is kept by the caller's pool. `target` in bytes.
  PackBuilder(Content content, std::size_t target, base::RawBuffer memory);

  // Appends a frame with its text as it is to be stored. The chunks' sizes add up to the text before compression.
  void add(Compression compression, std::vector<ChunkEntry> chunks, base::ByteSpan text);
  // Whether it should be sealed now: it has reached its target, or a limit of the format is near.
  bool full() const;
  bool empty() const { return record_.frames.empty(); }

  // Encrypts in place and ends the pack: a pass of the cipher and one of SHA-256, about 20 ms for 32 MiB.
  SealedPack seal(const SealingKeys& keys) &&;

 private:
  std::array<std::uint8_t, 32> make_salt() const;

  Content content_;
  std::size_t target_;
  base::RawBuffer bytes_;  // each frame followed by room for its tag
  PackRecord record_;
  std::size_t chunks_ = 0;
};

}  // namespace kura::archive
