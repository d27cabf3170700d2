// What is to go before its time needs two people and a delay: one asks, another agrees, and until the delay is over
// anybody may call it off. Each of them signs with a key of his own, and the journal keeps the signatures, so it can be
// shown later who wanted what.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "vault/journal/entry.h"

namespace kura::vault {

struct Request {
  std::uint64_t sequence = 0;  // of its entry in the repository's journal: its name
  base::Digest hash;           // of that entry
  std::int64_t time = 0;       // when it was made, by the vault's clock
  std::string who;
  crypto::PublicKey key{};                 // his
  std::vector<store::ObjectId> snapshots;  // that are to go; or
  std::string policy;                      // that is to hold from then on, and keeps less than the one before
  std::string approved_by = {};            // empty: by nobody yet
  std::int64_t approved = 0;

  // When it is carried out; nothing while nobody has agreed.
  std::optional<std::int64_t> due(std::int64_t delay) const;
};

// What a person signs (Ed25519). `vault` is the vault's key, so no signature counts at another one.
base::Bytes request_text(const crypto::PublicKey& vault, std::string_view repository,
                         const std::vector<store::ObjectId>& snapshots, std::string_view policy);
base::Bytes approval_text(const crypto::PublicKey& vault, std::string_view repository, std::uint64_t sequence,
                          const base::Digest& hash);

// The open requests of a repository, by what its journal says. Not shared between threads.
class Requests {
 public:
  // Entries of other kinds are passed over.
  void take(const Entry& entry, const base::Digest& hash);
  // In the order made.
  std::vector<Request> open() const;
  // kNotFound.
  base::Result<Request> find(std::uint64_t sequence) const;
  // Whether somebody may agree to it: kDenied for the one who asked, kConflict when another has already.
  base::Status may_approve(std::uint64_t sequence, std::string_view who, const crypto::PublicKey& key) const;
  std::vector<Request> due(std::int64_t now, std::int64_t delay) const;

 private:
  std::map<std::uint64_t, Request> open_;
};

}  // namespace kura::vault
