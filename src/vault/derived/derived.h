// What a database remembers of one repository: which packs each snapshot needs, and until when objects are locked in a
// bucket. Everything follows from the journal and the objects, so that all of it may be lost at any time.
//
// A snapshot's needs are remembered only by who has read it and checked its signature.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "archive/format/snapshot.h"
#include "store/store.h"
#include "vault/derived/database.h"
#include "vault/derived/record.h"

namespace kura::vault {

// Shared by threads. Without a database it remembers nothing.
class Derived {
 public:
  // `identity` tells this repository from any other one that ever had the same name: the hash of its journal's first
  // entry. What is remembered of others of that name in this vault is forgotten.
  Derived(std::shared_ptr<Database> database, const std::string& name, const base::Digest& identity);

  // What is known of snapshots, in no order, of some perhaps twice; `indexes`: those that are there. False when the
  // database could not be read, to the end at least. Waits for it, with others kept out: `visit` asks nothing of it.
  bool for_each(std::span<const store::ObjectId> indexes,
                const std::function<void(const store::ObjectId&, const std::vector<archive::NeededPacks>&)>& visit);
  // These two never wait.
  void remember(const store::ObjectId& snapshot, std::span<const archive::NeededPacks> needs);
  void forget(std::vector<store::ObjectId> snapshots);

  // What is known of the locks of a kind, in no order, of some perhaps twice. These two wait for the database.
  std::vector<store::Lock> locks(store::Kind kind);
  // Fills in what is known of `until` of those wanted; 0: nothing.
  void fill_in(store::Kind kind, std::span<store::Lock> wanted);
  // In one transaction; these two never wait.
  void remember_locks(store::Kind kind, std::vector<store::Lock> locks);
  void forget_locks(store::Kind kind, std::vector<store::ObjectId> ids);

 private:
  Records records() const { return Records(key_); }
  // All rows that `select` gives after an id, page by page: for each its id and value. False when not all came.
  bool read(const std::string& select, std::vector<base::ByteSpan> parameters, std::size_t page,
            const std::function<void(const store::ObjectId&, base::ByteSpan)>& visit);

  const std::shared_ptr<Database> database_;  // may be null
  const base::Digest identity_;
  const base::Key key_;
};

}  // namespace kura::vault
