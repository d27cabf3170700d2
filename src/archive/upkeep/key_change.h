// Changing who can open a repository. Needs the unlocked repository; no data are rewritten.
#pragma once

#include <string>

#include "archive/repo/repository.h"
#include "crypto/passphrase.h"

namespace kura::archive {

// Another recovery slot under a passphrase, which costs `cost` to try. Its object id; it is durable then.
base::Result<store::ObjectId> add_recovery_slot(const Repository& repository, std::string_view label,
                                                std::string_view passphrase, const crypto::PassphraseCost& cost = {});
// The text of an off-line key file (for writing to a file of mode 0600 by the caller).
base::Result<std::string> export_recovery_key(const Repository& repository);
// Puts the new slot, syncs, then removes the slot that `old_passphrase` opens.
base::Result<store::ObjectId> change_passphrase(const Repository& repository, std::string_view old_passphrase,
                                                std::string_view new_passphrase,
                                                const crypto::PassphraseCost& cost = {});
// Removes a slot or a machine certificate by id (unique prefix). Refuses (kConflict), unless `force`, to remove
// - the last recovery slot: without it only an off-line key opens the repository;
// - the certificate of a machine that has signed snapshots which are there: they would count no more. The error says
//   how many of which host. (A damaged key object may be removed: nothing counts by it as it is.)
base::Result<store::ObjectId> remove_key(const Repository& repository, std::string_view id_prefix, bool force);
// A new machine key for this machine: certificate into the repository, key into the state folder. For one whose old key
// is lost, or whose certificate was removed: that key is replaced. kExists while it has a key with a certificate, or
// one that cannot be read; kDamaged when a key object is damaged that may be its certificate.
base::Result<store::ObjectId> add_machine(const Repository& repository, const std::string& state_folder,
                                          std::string_view label);

}  // namespace kura::archive
