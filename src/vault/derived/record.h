// The values that are remembered, and why they are believed: each carries an HMAC under a key that only this vault has,
// of this value for this object in this repository. Whoever can write to the database can so take values away, which
// costs time, and say nothing that the vault did not write itself. What was true once stays true: a snapshot, named by
// its hash, always needs the same packs, and a lock only ever ends later.
//
// What is in a value is looked at only when its HMAC is right, so bytes of others reach no parser. How they are made:
// docs/vault-format.md, section 3.
#pragma once

#include <array>
#include <cstring>
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

// So much of an index's id stands in a value: half of it says as surely which one is meant, and whole ids would be most
// of what is written.
inline constexpr std::size_t kIndexBeginning = 16;

// The indexes that are there, by the beginnings of their ids.
class IndexNames {
 public:
  explicit IndexNames(std::span<const store::ObjectId> indexes);
  // Null where there is none, or several.
  const store::ObjectId* find(base::ByteSpan beginning) const;

 private:
  using Beginning = std::array<std::uint8_t, kIndexBeginning>;
  struct Hash {
    std::size_t operator()(const Beginning& beginning) const {
      std::size_t value;
      std::memcpy(&value, beginning.data(), sizeof value);
      return value;
    }
  };
  static Beginning beginning_of(base::ByteSpan id);

  std::unordered_map<Beginning, std::optional<store::ObjectId>, Hash> names_;
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
  base::Digest mac_of(const store::ObjectId& snapshot, base::ByteSpan stored);
  base::Digest mac_of(store::Kind kind, const store::Lock& lock);

  crypto::HmacSha256 mac_;
};

}  // namespace kura::vault
