// A machine's own state: its key, and a folder for caches and the commit lock, one for each repository.
//
// STATE/<config id>/machine.key   mode 0600: config id, write secret, Ed25519 seed; text, one field a line, checksummed
// STATE/<config id>/...           caches (backup/file_cache.h, read_index_tables.h, snapshot_cache.h): losing them
//                                 costs time, never correctness
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "archive/format/config.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/unique_fd.h"
#include "crypto/keys.h"
#include "store/object.h"

namespace kura::archive {

struct MachineKey {
  store::ObjectId config;
  base::Key write;
  base::Key signing_seed;

  crypto::PublicKey public_key() const { return crypto::ed25519_public(signing_seed); }
};

class MachineState {
 public:
  // The folder for one repository below the state folder; makes it (mode 0700) when `create`.
  static base::Result<MachineState> open(const std::string& state_folder, const store::ObjectId& config, bool create);
  // The config ids of all repositories this state folder knows.
  static base::Result<std::vector<store::ObjectId>> known(const std::string& state_folder);

  const std::string& folder() const { return folder_; }
  // kNotFound when this machine has no key for the repository.
  base::Result<MachineKey> load_key() const;
  // Atomic and durable, mode 0600; kExists when there is one.
  base::Status save_key(const MachineKey& key) const;
  // The same in place of the one that is there, which is then gone.
  base::Status replace_key(const MachineKey& key) const;
  // Held while a snapshot is committed, so that a machine's snapshots form one chain. Freed by the kernel whatever
  // happens to the process.
  base::Result<base::UniqueFd> lock_commits() const;

 private:
  explicit MachineState(std::string folder) : folder_(std::move(folder)) {}
  base::Status write_key(const MachineKey& key, bool over) const;
  std::string folder_;
};

}  // namespace kura::archive
