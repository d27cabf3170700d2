// Proves a journal, entry by entry: each one follows the one before, is signed by the same vault, and no time runs
// backwards. Used by the vault itself, by whoever follows it, and by anybody who holds a receipt.
//
//   JournalChain chain;                                   // or JournalChain(key) where the vault's key is known
//   Entry entry = KURA_TRY(chain.take(bytes));
#pragma once

#include <cstdint>
#include <optional>

#include "base/error.h"
#include "vault/journal/entry.h"

namespace kura::vault {

// Where a journal ends.
struct JournalHead {
  std::uint64_t sequence = 0;  // of the last entry; 0: there is none
  base::Digest hash;           // of the last entry
  std::int64_t time = 0;       // of the last entry

  friend bool operator==(const JournalHead&, const JournalHead&) = default;
};

// Not shared between threads. After an error it stays where it was.
class JournalChain {
 public:
  // `vault`: whose journal it has to be; nothing: the first entry says, and all others are held to it.
  explicit JournalChain(std::optional<crypto::PublicKey> vault = std::nullopt) : vault_(vault) {}
  // Goes on from a place that was proven before.
  JournalChain(const crypto::PublicKey& vault, const JournalHead& head) : vault_(vault), head_(head) {}

  // One whole entry, the next. kDamaged, saying at which sequence and why. Without kSignature its signature is not
  // checked, which is most of the cost.
  enum class Check { kSignature, kHash };
  base::Result<Entry> take(base::ByteSpan whole, Check check = Check::kSignature);

  const JournalHead& head() const { return head_; }
  const std::optional<crypto::PublicKey>& vault() const { return vault_; }

 private:
  base::Status follows(const Entry& entry) const;

  std::optional<crypto::PublicKey> vault_;
  JournalHead head_;
};

}  // namespace kura::vault
