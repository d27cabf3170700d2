// A vault's folder: its keys, its own journal, the machines that it knows and the repositories that it holds.
//
//   ROOT/vault.key              the seed of the vault's signing key (Ed25519), hex
//   ROOT/authority.key, .pem    its certificate authority
//   ROOT/server.key, .pem       what its server shows
//   ROOT/journal                of the vault: machines invited, enrolled, revoked
//   ROOT/repositories/NAME/     journal and objects/ of each
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "pki/authority.h"
#include "vault/holding/holding.h"
#include "vault/registry/registry.h"

namespace kura::vault {

// Shared by threads.
class Site {
 public:
  // Makes one in a folder that is not there or empty. `reached_as`: names and addresses by which machines know the
  // vault, at least one. kExists, kUsage.
  static base::Result<std::unique_ptr<Site>> create(const std::string& root, const std::string& name,
                                                    const std::vector<std::string>& reached_as, Clock clock);
  // kNotFound, kDamaged, kDenied when others may read the keys, kConflict when another process has it open.
  // Repositories are opened too; one that cannot be is told by holding() and is no reason not to serve the others.
  static base::Result<std::unique_ptr<Site>> open(const std::string& root, Clock clock);

  const std::string& name() const { return journal_->name(); }
  const Journal& journal() const { return *journal_; }
  const pki::Authority& authority() const { return authority_; }
  Registry& registry() { return *registry_; }
  std::int64_t now() const { return clock_(); }

  // What a server shows: key, and certificate with the authority's behind it.
  const pki::PrivateKey& server_key() const { return server_key_; }
  std::string server_chain() const { return server_certificate_.to_pem() + authority_.certificate().to_pem(); }

  // Invites a machine, and makes its repository if it is not there. Returns the token that the machine shows, which
  // also says whom it has to trust.
  base::Result<std::string> invite(const Member& member, std::int64_t lifetime);
  // kNotFound, or why it could not be opened.
  base::Result<Holding*> holding(const std::string& name);
  // Of those that could be opened.
  std::vector<Holding*> holdings();

 private:
  Site(std::string root, pki::Authority authority, pki::PrivateKey server_key, pki::Certificate server_certificate,
       base::Key seed, std::unique_ptr<Journal> journal, std::unique_ptr<Registry> registry, Clock clock);
  void open_holdings();
  base::Status make_holding(const std::string& name);
  std::string folder_of(const std::string& repository) const { return root_ + "/repositories/" + repository; }

  const std::string root_;
  const pki::Authority authority_;
  const pki::PrivateKey server_key_;
  const pki::Certificate server_certificate_;
  const base::Key seed_;
  const std::unique_ptr<Journal> journal_;
  const std::unique_ptr<Registry> registry_;
  const Clock clock_;

  base::Mutex mutex_;
  std::map<std::string, base::Result<std::unique_ptr<Holding>>> holdings_ KURA_GUARDED_BY(mutex_);
};

}  // namespace kura::vault
