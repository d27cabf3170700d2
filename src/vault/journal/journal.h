// The vault's own copy of a journal: a file that only grows.
//
//   auto journal = KURA_TRY(Journal::open(path, seed));
//   Receipt receipt = KURA_TRY(journal->append({.type = EventType::kCommit, ...}, now));   // durable when it returns
//
// A crash in the middle of an append leaves a last entry that is not whole: the next open moves what is there of it
// aside, to PATH.torn-SEQUENCE. Nobody was given a receipt for it. Anything else that is wrong is not repaired but
// told: a vault with a broken journal does not go on as if nothing were.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "base/unique_fd.h"
#include "vault/journal/chain.h"

namespace kura::vault {

struct Receipt {
  std::uint64_t sequence = 0;
  std::int64_t time = 0;  // of the vault
  base::Bytes entry;      // whole and signed: what is given to whom it concerns
};

// Shared by threads. Memory: 8 bytes an entry.
class Journal {
 public:
  // A new file with its first entry, kBegin: the journal of `name`. kExists when there is one. After a crash it is
  // there with its entry or not at all.
  static base::Result<std::unique_ptr<Journal>> create(const std::string& path, const base::Key& vault_seed,
                                                       const std::string& name, std::int64_t now);
  // Proves the chain, but of the signatures only the last one: verify_journal() does all. kNotFound; kDamaged when it
  // is broken, or another vault's; kConflict when another process has it open.
  static base::Result<std::unique_ptr<Journal>> open(const std::string& path, const base::Key& vault_seed);

  // Durable when it returns. The entry's time is `now`, or that of the entry before if that is later. kUsage for
  // an event that is beyond the limits of entry.h. kNoSpace, kIo: then the journal is as before, or if that cannot be
  // had, takes no more.
  base::Result<Receipt> append(Event event, std::int64_t now);

  JournalHead head() const;
  const crypto::PublicKey& vault() const { return vault_; }
  // What it is the journal of.
  const std::string& name() const { return name_; }
  // Whole entries, one after the other, from `sequence` on: as many as fit into `limit` bytes, but at least one. Empty
  // past the end. `sequence` is at least 1.
  base::Result<base::Bytes> read(std::uint64_t sequence, std::size_t limit) const;
  // All that are there when it begins, in order. Memory: 1 MiB or the longest entry.
  base::Status for_each(const std::function<void(const Entry&, base::ByteSpan whole)>& visit) const;

 private:
  Journal(std::string path, base::UniqueFd file, const base::Key& seed);
  base::Status load();
  base::Status cut_torn_tail(std::uint64_t from, std::uint64_t size);
  base::Status write(base::ByteSpan whole) KURA_REQUIRES(mutex_);
  base::Error failure(std::string_view what, int reason) const;

  const std::string path_;
  const base::UniqueFd file_;
  const base::Key seed_;
  const crypto::PublicKey vault_;
  std::string name_;  // never changes once it is open

  mutable base::Mutex mutex_;
  JournalHead head_ KURA_GUARDED_BY(mutex_);
  std::vector<std::uint64_t> offsets_ KURA_GUARDED_BY(mutex_);  // of entry 1, 2, ...
  std::uint64_t size_ KURA_GUARDED_BY(mutex_) = 0;              // bytes of whole entries
  std::optional<base::Error> broken_ KURA_GUARDED_BY(mutex_);   // why it takes no more
};

// Reads entry by entry from a file that nobody has to have open, signatures too, and calls `visit(entry, whole)` for
// each. kDamaged at the first that is wrong. Memory: one entry.
base::Result<JournalHead> verify_journal(const std::string& path, std::optional<crypto::PublicKey> vault,
                                         const std::function<void(const Entry&, base::ByteSpan)>& visit);

}  // namespace kura::vault
