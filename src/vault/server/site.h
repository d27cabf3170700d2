// A vault's folder: its keys, its own journal, the machines that it knows and the repositories that it holds.
//
//   ROOT/vault.key              the seed of the vault's signing key (Ed25519), hex
//   ROOT/authority.key, .pem    its certificate authority
//   ROOT/server.key, .pem       what its server shows
//   ROOT/store                  where its objects are, when that is a bucket: an address as s3/address.h has it
//   ROOT/clock                  the vault's time when it was last looked at, ns since 1970
//   ROOT/journal                of the vault: machines, operators, customers, its clock, vaults that it follows
//   ROOT/derived.sqlite         what has been derived from journals and objects; not there with another database
//   ROOT/followed/NAME/         what it shows to a vault that it follows
//   ROOT/repositories/NAME/     journal and (but for a bucket) objects/ of each; followed/: what it knows of where it
//   comes from
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "pki/authority.h"
#include "vault/clock/vault_clock.h"
#include "vault/holding/holding.h"
#include "vault/pull/followings.h"
#include "vault/registry/operators.h"
#include "vault/registry/registry.h"

namespace kura::vault {

struct SiteOptions {
  VaultClock::Sources clock = VaultClock::machine();
  std::optional<std::uint64_t> reserve = std::nullopt;  // bytes of the disk (space.h)
  std::stop_token stop = {};                            // ends what waits for a bucket
  // Where derived data is remembered: a URL of PostgreSQL; empty: ROOT/derived.sqlite.
  std::string database = {};
  std::function<void(const std::optional<base::Error>&)> database_told = {};  // of it (derived/database.h)
};

// Shared by threads.
class Site {
 public:
  // Makes one in a folder that is not there or empty. `reached_as`: names and addresses by which machines know the
  // vault, at least one. `bucket`: below which the objects are to be, each repository's under its name
  // (s3/address.h); empty: in the folder. kExists, kUsage, and what stands against the bucket.
  static base::Result<std::unique_ptr<Site>> create(const std::string& root, const std::string& name,
                                                    const std::vector<std::string>& reached_as,
                                                    const SiteOptions& options = {}, const std::string& bucket = "");
  // kNotFound, kDamaged, kDenied when others may read the keys, kConflict when another process has it open.
  // Repositories are opened too; one that cannot be is told by holding() and is no reason not to serve the others.
  static base::Result<std::unique_ptr<Site>> open(const std::string& root, const SiteOptions& options = {});

  const std::string& name() const { return journal_->name(); }
  const Journal& journal() const { return *journal_; }
  Journal& journal() { return *journal_; }
  const pki::Authority& authority() const { return keys_.authority; }
  Registry& registry() { return *registry_; }
  Operators& operators() { return *operators_; }
  Followings& followings() { return *followings_; }

  // The vault's time, which is not always the machine's (vault_clock.h).
  std::int64_t now() { return clock_.now(); }
  std::optional<std::string> clock_doubt() { return clock_.doubt(); }
  // Writes down what time it is, and a doubt into the journal when there is a new one.
  base::Status note_time();
  base::Status trust_clock(const std::string& who, const std::string& why);

  // Bytes that the repositories of a customer may hold together; 0: no quota.
  base::Status set_customer_quota(const std::string& customer, std::uint64_t bytes, const std::string& who);
  std::map<std::string, std::uint64_t> customer_quotas();
  std::uint64_t used(const std::string& repository) const { return space_->used(repository); }

  // What a server shows: key, and certificate with the authority's behind it.
  const pki::PrivateKey& server_key() const { return keys_.server_key; }
  std::string server_chain() const {
    return keys_.server_certificate.to_pem() + keys_.authority.certificate().to_pem();
  }

  // Invites a machine, and makes its repository if it is not there, or a follower. Returns the token that it shows,
  // which also says whom it has to trust.
  base::Result<std::string> invite(const Member& member, std::int64_t lifetime);
  // kNotFound, or why it could not be opened.
  base::Result<Holding*> holding(const std::string& name);
  // The same, made if it is not there. kUsage for a name that is none.
  base::Result<Holding*> hold(const std::string& name);
  const Database& database() const { return *database_; }
  // Of those that could be opened.
  std::vector<Holding*> holdings();
  // The others, and why they could not.
  std::map<std::string, base::Error> closed();
  // Opens those of them that may only have waited for a bucket that was away.
  void try_closed_again();
  std::string folder_of(const std::string& repository) const { return root_ + "/repositories/" + repository; }
  std::string followed_folder() const { return root_ + "/followed"; }

 private:
  struct Keys {
    pki::Authority authority;
    pki::PrivateKey server_key;
    pki::Certificate server_certificate;
    base::Key seed;
  };
  static base::Result<Keys> read_keys(const std::string& root);
  Site(std::string root, Keys keys, std::unique_ptr<Journal> journal, const SiteOptions& options, std::string bucket);
  base::Status load(const SiteOptions& options);
  void take(const Entry& entry) KURA_REQUIRES(mutex_);
  base::Status write(Event event) KURA_REQUIRES(mutex_);
  void open_holdings();
  base::Status make_holding(const std::string& name);
  base::Result<std::unique_ptr<Holding>> open_holding(const std::string& name);
  base::Result<Surroundings> surroundings_of(const std::string& repository) const;

  const std::string root_;
  const Keys keys_;
  const std::unique_ptr<Journal> journal_;
  VaultClock clock_;
  const std::shared_ptr<Space> space_;
  const std::string bucket_;  // where objects are; empty: in the vault's folder
  const std::stop_token stop_;
  std::shared_ptr<Database> database_;    // from load() on
  std::unique_ptr<Registry> registry_;    // from load() on
  std::unique_ptr<Operators> operators_;  // the same
  std::unique_ptr<Followings> followings_;

  base::Mutex mutex_;
  std::map<std::string, base::Result<std::unique_ptr<Holding>>> holdings_ KURA_GUARDED_BY(mutex_);
  std::map<std::string, std::uint64_t> customers_ KURA_GUARDED_BY(mutex_);  // their quotas
  bool doubt_noted_ KURA_GUARDED_BY(mutex_) = false;
};

}  // namespace kura::vault
