// The values that are remembered, and why they are believed: each carries an HMAC under a key that only this vault has,
// of this value for this object in this repository. Whoever can write to the database can so take values away, which
// costs time, and say nothing that the vault did not write itself. What was true once stays true: a snapshot, named by
// its hash, always needs the same packs, and a lock only ever ends later.
//
// Needs: HMAC (32 bytes), u8 how the text is stored (0: as it is, 1: zstd), varint bytes of the text, then it. The text
// is for each index the first 8 bytes of its id, varint bytes of bits, bits (docs/format.md, section 7). The HMAC is of
// "needs", the snapshot's id and the same with whole ids, so an index is the one that was meant, or nothing is said.
//
// A lock: HMAC (32 bytes) of "lock", u8 kind, the id and i64 until; then i64 until, ns since 1970.
#pragma once

#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "archive/format/limits.h"
#include "archive/format/snapshot.h"
#include "crypto/hash.h"
#include "store/store.h"

namespace kura::vault {

inline constexpr std::size_t kNeedsLimit = archive::kFrameTextLimit;  // bytes of the text of needs

// The indexes that are there, by the beginnings of their ids.
class IndexNames {
 public:
  explicit IndexNames(std::span<const store::ObjectId> indexes);
  // Nothing where there is none, or several.
  std::optional<store::ObjectId> find(base::ByteSpan beginning) const;

 private:
  std::unordered_map<std::uint64_t, std::optional<store::ObjectId>> names_;
};

// Makes and reads the values of one repository. Used by one thread at a time.
class Records {
 public:
  explicit Records(const base::Key& key) : mac_(key) {}

  // Nothing where it is too long to be remembered.
  std::optional<base::Bytes> encode_needs(const store::ObjectId& snapshot, std::span<const archive::NeededPacks> needs);
  // Nothing where it is not what encode_needs() made for this snapshot, or an index is not there any more. `value` may
  // be anything.
  std::optional<std::vector<archive::NeededPacks>> decode_needs(const store::ObjectId& snapshot, base::ByteSpan value,
                                                                const IndexNames& indexes);
  base::Bytes encode_lock(store::Kind kind, const store::Lock& lock);
  std::optional<store::Lock> decode_lock(store::Kind kind, const store::ObjectId& id, base::ByteSpan value);

 private:
  base::Digest mac_of(const store::ObjectId& snapshot, std::span<const archive::NeededPacks> needs);
  base::Digest mac_of(store::Kind kind, const store::Lock& lock);

  crypto::HmacSha256 mac_;
};

}  // namespace kura::vault
