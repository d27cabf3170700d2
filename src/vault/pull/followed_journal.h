// This vault's own copy of the journal of a repository in a followed vault. It only grows, by entries that were proven
// to be the followed vault's and to follow those before: so what that vault showed once, it cannot deny later.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"
#include "vault/journal/chain.h"

namespace kura::vault {

// What a followed vault's answer does to the copy.
enum class Continuation : std::uint8_t {
  kGoesOn,    // it begins with the last entry here
  kRollback,  // the vault's journal ends before that
  kFork,      // another entry is in its place, and the vault signed both
  kGarbage,   // something that the vault did not sign, or that does not follow
};
const char* name_of(Continuation continuation);

// Not shared between threads. Memory: the longest entry.
class FollowedJournal {
 public:
  static constexpr std::uint64_t kMostBytes = 256ULL << 20;

  // Of the vault with that key; an empty one is made where there is none. What a crash has left of an append is moved
  // to PATH.torn-OFFSET: the followed vault has it. kDamaged when it is broken elsewhere.
  static base::Result<std::unique_ptr<FollowedJournal>> open(const std::string& path, const crypto::PublicKey& vault);

  const JournalHead& head() const { return chain_.head(); }
  // The number to ask for: the last entry here comes again, so that a journal with another one in its place shows.
  std::uint64_t next_from() const { return std::max<std::uint64_t>(head().sequence, 1); }

  struct Taken {
    Continuation continuation = Continuation::kGoesOn;
    std::uint64_t entries = 0;  // that were new
    std::string why = {};       // unless it goes on
  };
  // What the followed vault answers for entries from next_from() on: those that prove right are added, durable when it
  // returns, up to the first that does not. kUnsupported for an entry of a newer version; kIo, kNoSpace: this machine's
  // disk, and nothing was added.
  base::Result<Taken> take(base::ByteSpan piece);

  // All entries, in order.
  base::Status for_each(const std::function<void(const Entry&)>& visit) const;

 private:
  FollowedJournal(std::string path, base::UniqueFd file, const crypto::PublicKey& vault)
      : path_(std::move(path)), file_(std::move(file)), chain_(vault) {}
  base::Status load();
  base::Status cut_torn_tail(std::uint64_t from, std::uint64_t size);
  base::Status append(base::ByteSpan entries);
  Taken compare_head(base::ByteSpan whole) const;

  const std::string path_;
  const base::UniqueFd file_;
  JournalChain chain_;
  std::uint64_t size_ = 0;  // bytes of whole entries
};

}  // namespace kura::vault
