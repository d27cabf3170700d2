// Which other vaults have a snapshot too. A vault that follows this one says so with its own journal's entries of the
// commits, which it has signed: so its word can be held against it later.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/keys.h"
#include "store/object.h"
#include "vault/journal/entry.h"

namespace kura::vault {

struct CopyClaim {
  crypto::PublicKey vault{};  // that signed it
  std::vector<store::ObjectId> snapshots;
};

inline constexpr std::size_t kCopyClaimLimit = 1U << 20;  // bytes
inline constexpr std::size_t kCopiesInClaim = 1000;

// Of whole entries, one after the other: the first one of the other vault's journal, which says its key, and then some
// of its commits. kUsage when it is anything else, or one of them is not signed by that key.
base::Result<CopyClaim> read_copy_claim(base::ByteSpan entries);

// What the journal's entries of copies say. Not shared between threads.
class CopyLedger {
 public:
  void take(const Event& copy);
  void forget(const store::ObjectId& snapshot);

  // The key with which the vault signed what it said first; nothing when it has said nothing.
  std::optional<crypto::PublicKey> key_of(const std::string& who) const;
  bool has(const std::string& who, const store::ObjectId& snapshot) const;
  // By name.
  std::vector<std::string> of(const store::ObjectId& snapshot) const;

 private:
  std::map<std::string, crypto::PublicKey> keys_;
  std::unordered_map<store::ObjectId, std::vector<std::string>, base::DigestHash> vaults_;
};

}  // namespace kura::vault
