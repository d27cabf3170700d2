// A repository: a store, the config in force, and such keys as the caller has. It reads and writes the small objects;
// packs are the business of pack_reader.h and of backup/.
//
//   auto repository = KURA_TRY(Repository::open(*store, {.state_folder = dir}));       // keyless or as the machine
//   KURA_TRY(repository.unlock(KURA_TRY(recovery_from_passphrase(...))));              // to read
//
// May be shared by threads once opened and unlocked.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/format/config.h"
#include "archive/format/index.h"
#include "archive/format/key_object.h"
#include "archive/format/snapshot.h"
#include "archive/repo/machine.h"
#include "archive/repo/secrets.h"
#include "crypto/passphrase.h"
#include "store/store.h"

namespace kura::archive {

struct StoredSnapshot {
  store::ObjectId id;
  std::int64_t received = 0;  // by the store's clock
  Snapshot snapshot;
};

// What could not be read of a listing: the object and why. Callers show them; they do not hide what is whole.
struct DamagedObject {
  store::Kind kind = store::Kind::kConfig;
  store::ObjectId id;
  base::Error error;
};

// An object's own fault: it is not there, or is not what it should be. Other errors (a disk that does not answer, a
// folder nobody may read) say nothing about it.
inline bool is_damage(const base::Error& error) {
  return error.code() == base::ErrorCode::kDamaged || error.code() == base::ErrorCode::kNotFound;
}

struct SnapshotList {
  std::vector<StoredSnapshot> snapshots;  // in the order received, then by number and machine
  std::vector<DamagedObject> damaged;     // unreadable, badly signed, or by a machine without a certificate
};

struct KeyList {
  struct Slot {
    store::ObjectId id;
    RecoverySlot slot;
  };
  struct Machine {
    store::ObjectId id;
    MachineCertificate certificate;
  };
  // By their time of creation. Key objects of other configs are left out.
  std::vector<Slot> slots;
  std::vector<Machine> machines;
  std::vector<DamagedObject> damaged;

  // Null when there is none for it.
  const Machine* certificate_of(const crypto::PublicKey& machine) const {
    const auto at =
        std::ranges::find(machines, machine, [](const Machine& known) { return known.certificate.machine; });
    return at == machines.end() ? nullptr : &*at;
  }
  // The keys come right after the config: none at all, not even a machine's, is mostly a copy that was cut short.
  bool none() const { return slots.empty() && machines.empty() && damaged.empty(); }
};
inline constexpr const char* kUnfinishedCopy =
    "if it is a copy that was cut short, run `kura copy` from the original again";

class Repository {
 public:
  // Finds the config: `config` when the caller knows it (a recovery key file names it), else the one that the machine's
  // state remembers, else the only valid one in the store. When the store holds several and nothing says which,
  // kDamaged, naming them. kNotFound when it is not a repository, kDamaged when it is one whose config is damaged or
  // gone, kUnsupported for a newer format.
  // With a state folder the machine's key is loaded if there is one. A key that is damaged or that others may read is
  // not used, which need_write_secrets() then tells; the recovery key works all the same.
  static base::Result<Repository> open(std::shared_ptr<store::Store> store, const std::string& state_folder,
                                       const std::optional<store::ObjectId>& config = std::nullopt);

  // Where several configs are there and nothing says which is in force: the one of the recovery slot that the
  // passphrase opens, unlocked. Somebody who plants a config can make no such slot. kWrongKey when it opens none.
  static base::Result<Repository> open_with_passphrase(const std::shared_ptr<store::Store>& store,
                                                       const std::string& state_folder, std::string_view passphrase);
  // All configs that are whole, which should be one.
  static base::Result<std::vector<store::ObjectId>> whole_configs(store::Store& store);

  // Makes a repository in an empty store; kExists when there is one. The recovery secret is sealed under `passphrase`
  // into it when given. Returns the opened and unlocked repository; the machine's key is saved in the state folder, its
  // certificate put.
  struct NewRepository {
    std::string state_folder;
    std::string machine_label;                          // host name
    std::optional<std::string> passphrase;              // nothing: recovery key off line only
    std::optional<ParityPolicy> parity = std::nullopt;  // kept beside the packs
    crypto::PassphraseCost cost = {};                   // of trying a passphrase
  };
  static base::Result<Repository> create(std::shared_ptr<store::Store> store, const NewRepository& how);

  store::Store& store() const { return *store_; }
  const std::shared_ptr<store::Store>& shared_store() const { return store_; }
  const Config& config() const { return config_; }
  const store::ObjectId& config_id() const { return config_id_; }

  // The keys at hand.
  const std::optional<MachineKey>& machine() const { return machine_; }
  const std::optional<MachineState>& machine_state() const { return machine_state_; }
  const WriteSecrets* write_secrets() const;        // as machine or unlocked, else null
  const RecoverySecrets* recovery_secrets() const;  // unlocked, else null
  // The same, with an Error that says what to do.
  base::Result<const WriteSecrets*> need_write_secrets() const;
  base::Result<const RecoverySecrets*> need_recovery_secrets() const;

  // Checks that `recovery` belongs to the config (its public keys follow from it): kWrongKey otherwise.
  base::Status unlock(const base::Key& recovery);
  // Tries the recovery slots. kWrongKey when none opens, kNotFound when there are none (recovery key off line).
  base::Status unlock_with_passphrase(std::string_view passphrase);
  base::Status unlock_with_key_file(std::string_view text);

  base::Result<KeyList> keys() const;
  // Labels are there when the catalog key is at hand. What this machine's state knows to be proven is taken from there
  // (snapshot_cache.h), or kAnew every object is read, on all cores.
  enum class Proof { kOnce, kAnew };
  base::Result<SnapshotList> snapshots(Proof proof = Proof::kOnce) const;
  base::Result<StoredSnapshot> snapshot(const store::ObjectId& id) const;
  // Index::decode with the catalog key when there is one; kDamaged when it is another repository's.
  base::Result<Index> index(const store::ObjectId& id) const;

  // put() of an encoded object under its SHA-256.
  base::Result<store::ObjectId> put(store::Kind kind, base::ByteSpan object) const;

 private:
  Repository() = default;
  void load_machine(const std::string& state_folder);
  base::Result<KeyObject> key_object(const store::ObjectId& id) const;
  base::Result<Snapshot> read_snapshot(const store::ObjectId& id) const;
  base::Status check_counts(const store::ObjectId& id, const Snapshot& snapshot,
                            const std::vector<crypto::PublicKey>& machines) const;
  std::string snapshot_cache_path() const;
  base::Result<std::vector<crypto::PublicKey>> certified_machines() const;
  std::shared_ptr<store::Store> store_;
  Config config_;
  store::ObjectId config_id_;
  std::optional<MachineState> machine_state_;
  std::optional<MachineKey> machine_;
  std::optional<base::Error> machine_problem_;  // why there is a key that is not used
  std::optional<WriteSecrets> write_;
  std::optional<RecoverySecrets> recovery_;
};

// SNAPSHOT as a person writes it: unique prefix of >= 4 hex digits, "latest" (received last) or "clean".
// kNotFound, kUsage when ambiguous; the message lists candidates.
base::Result<StoredSnapshot> find_snapshot(const SnapshotList& list, std::string_view name);

}  // namespace kura::archive
