// Options that every command has, and what they open: the repository, its keys, the output.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "app/output.h"
#include "archive/repo/repository.h"
#include "base/error.h"
#include "passphrase.h"

namespace kura::app {

struct GlobalOptions {
  std::string repository;
  std::string state_folder;
  std::string passphrase_file;
  std::string recovery_key_file;
  bool json = false;
  bool quiet = false;
};

// Given to every command.
struct Context {
  const GlobalOptions& options;
  Output& output;
  std::stop_token stop;

  // --state-dir, KURA_STATE_DIR, $XDG_STATE_HOME/kura, ~/.local/state/kura; /var/lib/kura for root.
  std::string state_folder() const;
  // For stores that a command opens.
  store::OpenOptions store_options(std::optional<std::chrono::seconds> patience = {}) const {
    return {.stop = stop, .patience = patience, .state_folder = state_folder()};
  }
  // kUsage when no repository is named.
  base::Status need_repository_name() const;
  // The config in force is told by the recovery key file where one is given and fits, by the state folder, and where
  // several are there by the passphrase, if it is given.
  // `emergency` is store::OpenOptions'.
  base::Result<archive::Repository> open_repository(bool emergency = false) const {
    return open(/*may_ask=*/false, {}, emergency);
  }
  // The same, unlocked with the recovery key: key file or passphrase, asked for on a terminal. `patience` is
  // store::open_store's.
  base::Result<archive::Repository> open_unlocked(std::optional<std::chrono::seconds> patience = {}) const;
  base::Status unlock(archive::Repository& repository) const;
  // Unlocks when a key is at hand without asking anybody.
  base::Status unlock_if_given(archive::Repository& repository) const;

 private:
  base::Result<archive::Repository> open(bool may_ask, std::optional<std::chrono::seconds> patience,
                                         bool emergency = false) const;
  base::Result<Passphrase> passphrase() const;
  std::optional<store::ObjectId> config_of_key_file(store::Store& store) const;
};

// Reads a small text file, such as a passphrase's, whole.
base::Result<std::string> read_text_file(const std::string& path);

}  // namespace kura::app
