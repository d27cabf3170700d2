// What a vault holds for one repository: its objects, its journal, and what follows from both. Keyless: it knows which
// packs a snapshot needs, and not what is in them.
//
// The journal says what there is. A snapshot whose commit is not in it does not exist here, though its object may lie
// in the store: nobody was given a receipt for it. So what a crash leaves between the two is put right when the machine
// sends it again.
//
// Nothing that a machine sends is believed: names are checked against bytes, snapshots against the signature of a
// machine that the recovery key has certified, and what they need against what is here. A machine may add, and never
// change or remove, with one exception: its own leases.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "archive/format/config.h"
#include "archive/format/snapshot.h"
#include "base/error.h"
#include "base/mutex.h"
#include "store/store.h"
#include "vault/derived/derived.h"
#include "vault/holding/copies.h"
#include "vault/holding/policy.h"
#include "vault/holding/requests.h"
#include "vault/holding/space.h"
#include "vault/holding/tripwire.h"
#include "vault/journal/journal.h"

namespace kura::vault {

// Time as the vault has it, ns since 1970.
using Clock = std::function<std::int64_t()>;

// A snapshot that is here.
struct HeldSnapshot {
  store::ObjectId id;
  std::uint64_t size = 0;      // bytes of the object
  std::int64_t received = 0;   // the vault's time of the commit
  std::uint64_t sequence = 0;  // of the commit in the journal
  crypto::PublicKey machine{};
  std::uint64_t number = 0;
  archive::Series series{};
  std::int64_t started = 0;  // the machine's time: a label
  std::uint64_t needed = 0;  // bytes of the packs that it needs
  std::string suspicion;     // why it is suspect; empty: it is not
};

// An object that is here by what the journal says, and is not whole.
struct Damage {
  store::Kind kind = store::Kind::kPack;
  store::ObjectId id;
  std::string what;  // is wrong
};

// What has to come before a snapshot can be committed.
struct Missing {
  std::vector<store::ObjectId> indexes;  // that it names and that are not here
  std::vector<store::ObjectInfo> packs;  // that it needs, as the indexes say that are here
};

// What a repository has around it, all of which may be missing.
struct Surroundings {
  std::shared_ptr<Space> space = Space::unlimited();
  std::shared_ptr<Database> database = nullptr;  // that remembers what is derived from journal and objects
  std::string bucket = {};    // address of a place in one, where the objects are; empty: FOLDER/objects
  std::stop_token stop = {};  // ends what waits for it
};

// Shared by threads.
class Holding {
 public:
  // A new one, below `folder`, which is not there or is what a crash left of making one. kExists.
  static base::Result<std::unique_ptr<Holding>> create(const std::string& folder, const std::string& name,
                                                       const base::Key& vault_seed, Clock clock,
                                                       const Surroundings& around = {});
  // Reads the journal and lists the packs. kNotFound, kDamaged, kConflict as Journal::open().
  static base::Result<std::unique_ptr<Holding>> open(const std::string& folder, const base::Key& vault_seed,
                                                     Clock clock, const Surroundings& around = {});

  const std::string& name() const { return journal_->name(); }
  const Journal& journal() const { return *journal_; }

  // Whether a machine may send such an object, before its bytes come: kDenied for kinds that are the vault's business
  // and for a second config, kUsage for one that is too large.
  base::Status may_send(store::Kind kind, const store::ObjectId& id, std::uint64_t size) const;
  // Whether it is here, complete.
  base::Result<store::ObjectInfo> stat(store::Kind kind, const store::ObjectId& id) const;
  base::Result<std::vector<store::ObjectInfo>> list(store::Kind kind) const;
  // As Store::read_at(), of what is here.
  base::Status read_at(store::Kind kind, const store::ObjectId& id, std::uint64_t offset,
                       base::MutableByteSpan out) const;

  // For packs, indexes and parity. kNoSpace when it does not fit into what this repository may take (space.h).
  base::Result<std::unique_ptr<store::Upload>> upload(store::Kind kind, const store::ObjectId& id, std::uint64_t size);
  // After its finish(): it counts from here on. Durable with the next commit or sync().
  void uploaded(store::Kind kind, const store::ObjectId& id, std::uint64_t size);
  // A config, key or lease, whole. kDenied for a key of another repository and for a certificate that the recovery key
  // did not sign; before there is a config nobody can tell, and what comes then counts for what it is when there is
  // one.
  base::Status put(store::Kind kind, const store::ObjectId& id, base::ByteSpan object, const std::string& who);
  base::Status remove_lease(const store::ObjectId& id);
  base::Status sync();

  // The end of a backup. When it returns, the snapshot and all that it needs are durable, and the journal says so. Once
  // more for one that is here gives the receipt of the first time. kDenied: not signed by a machine of this repository;
  // kNotFound: something that it needs is not here; kConflict: it was here once, and has gone, or leans on what came in
  // before a barrier. One that is a surprise (tripwire.h) is suspect, and freezes the repository.
  base::Result<Receipt> commit(const store::ObjectId& id, base::ByteSpan object, const std::string& who);

  // What commit() would find missing. kDenied, kDamaged as there.
  base::Result<Missing> missing(const archive::Snapshot& snapshot);
  // Whether the snapshot is here, or was and has gone: it does not come (again).
  bool knows(const store::ObjectId& snapshot) const;

  // In the order received.
  std::vector<HeldSnapshot> snapshots() const;

  // Writes down what of it is new, and of a snapshot that is here; returns how many that is. kDenied when the other
  // vault, which is known here as `who`, signed with another key before.
  base::Result<std::size_t> take_copies(const CopyClaim& claim, const std::string& who);
  // Which other vaults have it, as far as they said so. kNotFound.
  base::Result<std::vector<std::string>> copies_of(const store::ObjectId& snapshot) const;
  // Those of which another vault has a copy, in the order received.
  std::vector<HeldSnapshot> copied() const;

  // What people decide. Each is in the journal before it counts.
  base::Status set_policy(const Policy& policy, const std::string& who);
  base::Status freeze(const std::string& who, const std::string& why);
  // With `no_attack`, what was suspect is so no more, and counts as usual from here on.
  base::Status thaw(const std::string& who, const std::string& why, bool no_attack = false);
  Policy policy() const;
  bool is_frozen() const;
  // Later snapshots may not need what came in from `since` on: the packs that no snapshot needs which was received
  // before, and was not suspect. Returns how many these are.
  base::Result<std::size_t> set_barrier(std::int64_t since, const std::string& who, const std::string& why);
  base::Status alarm(const std::string& who, const std::string& text);

  // Before their time (requests.h). The caller has proven who asks and agrees.
  struct Signer {
    std::string who;
    crypto::PublicKey key{};
    base::Bytes signature;
  };
  base::Result<Receipt> request(std::vector<store::ObjectId> snapshots, const std::string& policy,
                                const Signer& signer);
  base::Status approve(std::uint64_t request, const Signer& signer);
  base::Status cancel(std::uint64_t request, const std::string& who);
  std::vector<Request> requests() const;
  base::Result<Request> request(std::uint64_t sequence) const;
  // Carries out what two people have wanted for `delay`, ns. Nothing while frozen. Returns how many requests.
  base::Result<std::size_t> carry_out(std::int64_t delay);

  // Lets go of the snapshots that the policy does not keep; nothing while frozen. Returns how many went.
  base::Result<std::size_t> expire();
  struct Collected {
    std::uint64_t packs = 0, indexes = 0, bytes = 0;
  };
  // Removes packs, and indexes, that no snapshot has needed for `grace` of the time that this process has seen: by a
  // clock that nobody can set, so a wall clock that jumps removes nothing. Whoever leaned on one of them meanwhile is
  // refused at the commit, and stores it anew. Nothing while frozen; kDamaged, and nothing, when a snapshot or an index
  // that one names cannot be read, for it might need anything.
  base::Result<Collected> collect(std::chrono::steady_clock::duration grace);
  // Where objects are locked: makes the locks of all that is kept longer, of which they end too soon. Requests for
  // those alone.
  base::Status renew_locks();
  std::int64_t now() const { return clock_(); }

  // Scrubbing (scrub.h). verify() reads an object and compares it with its name and size: kDamaged, kNotFound, kIo.
  const std::string& folder() const { return folder_; }
  base::Status verify(store::Kind kind, const store::ObjectId& id, std::uint64_t size) const;
  base::Status found_damaged(store::Kind kind, const store::ObjectId& id, const std::string& what);
  base::Status found_whole(store::Kind kind, const store::ObjectId& id);
  std::vector<Damage> damage() const;
  bool is_damaged(store::Kind kind, const store::ObjectId& id) const;
  // A whole object that is here, checked against its name. kNotFound, kDamaged, kIo.
  base::Result<base::Bytes> read(store::Kind kind, const store::ObjectId& id) const;
  // Puts the right bytes in the place of a damaged object, whoever has them: they are told by its name. It counts again
  // from here on, whatever the quota: it was here. kUsage for one that is not damaged, kDamaged for other bytes.
  base::Status repair(store::Kind kind, const store::ObjectId& id, base::ByteSpan object, const std::string& from);
  void scrubbed(std::int64_t time);    // a round was at its end
  std::int64_t last_scrubbed() const;  // when the last one was, by the vault's clock; 0: not yet
  std::uint64_t repaired() const;      // objects that others' bytes put right, since the journal began

  // Searching for what is in no list of the store (lost.h).
  // The config and the keys that the journal names.
  std::vector<std::pair<store::Kind, store::ObjectId>> config_and_keys() const;
  // The packs that are needed and not here. kNotFound when the index is not, kDamaged when it cannot have them.
  base::Result<std::vector<store::ObjectId>> lost_packs(const archive::NeededPacks& needed);
  std::uint64_t removals() const;  // how often something went from here: what was needed before may be so no more
  // Writes down what of it is damage that is not known yet; nothing when something went since `removals`. With `is_all`
  // nothing else of that kind is lost that anything needs: what was lost before then damages nothing any more.
  base::Status found_lost(store::Kind kind, std::vector<store::ObjectId> lost, std::uint64_t removals, bool is_all);

 private:
  using SeriesKey = std::pair<crypto::PublicKey, archive::Series>;
  Holding(std::string folder, std::unique_ptr<store::Store> store, std::unique_ptr<Journal> journal, Clock clock,
          std::shared_ptr<Space> space);
  base::Status load(const Surroundings& around);
  base::Error not_here(store::Kind kind, const store::ObjectId& id) const;
  base::Status load_sizes() KURA_REQUIRES(mutex_);
  void take(const Entry& entry, base::ByteSpan whole) KURA_REQUIRES(mutex_);
  void take_commit(const Entry& entry) KURA_REQUIRES(mutex_);
  void take_thaw(const Event& event) KURA_REQUIRES(mutex_);
  base::Status load_config(const store::ObjectId& id) KURA_REQUIRES(mutex_);
  void count_again(store::Kind kind, const store::ObjectId& id, std::uint64_t size, std::uint64_t counted);
  bool is_lost(store::Kind kind, const store::ObjectId& id) const;
  base::Status forget_lost(store::Kind kind, const std::vector<store::ObjectId>& still_lost) KURA_REQUIRES(committing_);
  base::Status put_config(const store::ObjectId& id, base::ByteSpan object, const std::string& who);
  base::Status put_key(const store::ObjectId& id, base::ByteSpan object, const std::string& who);
  base::Result<std::optional<Receipt>> known_commit(const store::ObjectId& id) const;
  base::Status check_signer(const archive::Snapshot& snapshot) const;
  // Shared with the memory of indexes: a list may have a million packs.
  using PackList = std::shared_ptr<const std::vector<store::ObjectInfo>>;
  base::Result<PackList> packs_of(const store::ObjectId& index);
  enum class Presence { kHere, kBarred, kMissing };
  // Each pack that the snapshot needs, once for each index that names it. `no_index` says what it means that an index
  // is not here. kDamaged when an index has not the packs that the snapshot says. What is called may not lock anything.
  base::Status for_each_need(const archive::Snapshot& snapshot,
                             const std::function<base::Status(const store::ObjectId&)>& no_index,
                             const std::function<void(const store::ObjectInfo&, Presence)>& visit);
  base::Status check_needs(const archive::Snapshot& snapshot);
  base::Result<Change> change_of(const archive::Snapshot& snapshot);
  base::Result<archive::Snapshot> read_snapshot(const store::ObjectId& id) const;
  std::optional<HeldSnapshot> newest_trusted(const SeriesKey& series) const;
  std::optional<std::string> suspicion_of(const SeriesKey& series, const Change& change) const;
  base::Result<Receipt> write(Event event) KURA_REQUIRES(committing_);
  base::Status decide(Event event);
  void take_policy(const Event& event) KURA_REQUIRES(mutex_);
  // What all of some snapshots together need, of each index.
  struct Needs {
    std::unordered_set<store::ObjectId, base::DigestHash> snapshots;
    std::unordered_map<store::ObjectId, archive::NeededPacks, base::DigestHash> packs;
  };
  bool needs_are_unknown();
  // What the database knows of snapshots that are here. Not while anybody waits: it may be slow.
  Needs remembered();
  // Takes what was remembered for what is needed, unless snapshots have gone meanwhile.
  void take_remembered(Needs remembered) KURA_REQUIRES(committing_);
  // Reads those that are not in `known` yet, and adds them there and to the database.
  base::Result<std::unordered_set<store::ObjectId, base::DigestHash>> needed_by(
      const std::vector<HeldSnapshot>& snapshots, Needs& known);
  base::Status let_go(Event event) KURA_REQUIRES(committing_);
  base::Status carry_out(const Request& request) KURA_REQUIRES(committing_);
  std::vector<store::ObjectId> long_unneeded(const std::vector<store::ObjectId>& unneeded,
                                             std::chrono::steady_clock::duration grace) KURA_REQUIRES(committing_);
  base::Status collect(store::Kind kind, const std::vector<store::ObjectId>& old) KURA_REQUIRES(committing_);
  base::Status remove_all(store::Kind kind, const std::vector<store::ObjectId>& ids) KURA_REQUIRES(committing_);
  // locks.cc
  base::Status lock(store::Kind kind, const std::vector<store::ObjectId>& ids);
  base::Status renew_locks(store::Kind kind, const std::vector<store::ObjectId>& ids);
  base::Status lock_needs(const archive::Snapshot& snapshot);
  base::Result<std::vector<store::ObjectId>> removable(store::Kind kind, std::vector<store::ObjectId> ids)
      KURA_REQUIRES(committing_);
  base::Status remove_leftovers() KURA_REQUIRES(committing_);

  const std::string folder_;
  const std::unique_ptr<store::Store> store_;
  const std::unique_ptr<Journal> journal_;
  const Clock clock_;
  const std::shared_ptr<Space> space_;
  std::unique_ptr<Derived> derived_;  // from load() on

  mutable base::Mutex mutex_;
  std::optional<archive::Config> config_ KURA_GUARDED_BY(mutex_);
  // By the journal; without config_ it is damaged.
  store::ObjectId config_id_ KURA_GUARDED_BY(mutex_);
  std::unordered_set<store::ObjectId, base::DigestHash> keys_ KURA_GUARDED_BY(mutex_);  // by the journal
  std::vector<crypto::PublicKey> machines_ KURA_GUARDED_BY(mutex_);                     // certified
  std::unordered_map<store::ObjectId, HeldSnapshot, base::DigestHash> snapshots_ KURA_GUARDED_BY(mutex_);
  // Gone, and the sequence of the entry that says so.
  std::unordered_map<store::ObjectId, std::uint64_t, base::DigestHash> gone_ KURA_GUARDED_BY(mutex_);
  std::unordered_map<store::ObjectId, store::ObjectInfo, base::DigestHash> packs_ KURA_GUARDED_BY(mutex_);
  // What the clear parts of indexes list, read when it is first asked for.
  std::unordered_map<store::ObjectId, PackList, base::DigestHash> indexes_ KURA_GUARDED_BY(mutex_);
  std::unordered_set<store::ObjectId, base::DigestHash> barred_ KURA_GUARDED_BY(mutex_);  // packs behind a barrier
  std::map<SeriesKey, std::vector<Change>> changes_ KURA_GUARDED_BY(mutex_);  // what was no surprise, the latest
  Requests requests_ KURA_GUARDED_BY(mutex_);
  Policy policy_ KURA_GUARDED_BY(mutex_);
  bool frozen_ KURA_GUARDED_BY(mutex_) = false;
  std::unordered_set<store::ObjectId, base::DigestHash> leftovers_ KURA_GUARDED_BY(mutex_);  // gone, and still there
  CopyLedger copies_ KURA_GUARDED_BY(mutex_);
  std::map<store::ObjectId, Damage> damage_ KURA_GUARDED_BY(mutex_);
  std::uint64_t repaired_ KURA_GUARDED_BY(mutex_) = 0;
  std::uint64_t removals_ KURA_GUARDED_BY(mutex_) = 0;
  std::int64_t last_scrubbed_ KURA_GUARDED_BY(mutex_) = 0;
  // One commit, expiry or collection at a time, so that the journal has them in the order in which they happened.
  base::Mutex committing_;
  // Of snapshots that are here, as collect() has read them: so the next time it reads only what came since.
  Needs needs_ KURA_GUARDED_BY(committing_);
  // Objects that could not go, and until when, ns since 1970.
  std::unordered_map<store::ObjectId, std::int64_t, base::DigestHash> locked_until_ KURA_GUARDED_BY(committing_);
  // Since when nothing has needed it, as collect() saw it. Of packs and indexes.
  std::unordered_map<store::ObjectId, std::chrono::steady_clock::time_point, base::DigestHash> unneeded_since_
      KURA_GUARDED_BY(committing_);
};

}  // namespace kura::vault
