// Keeps a vault following others, each on a thread of its own.
//
//   Puller puller(followings, home, options);
//   puller.start();                                   // or round() once
#pragma once

#include <map>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/mutex.h"
#include "vault/pull/vault_follower.h"

namespace kura::vault {

struct FollowedVault {
  Following vault;
  std::vector<FollowedState> repositories;
};

// Shared by threads. Its destructor ends what is under way.
class Puller {
 public:
  // `followings` outlives it.
  Puller(Followings& followings, Home home, PullOptions options);
  ~Puller();

  // From now on, until it ends; vaults that are followed later too.
  void start();
  // Once through all vaults, instead. The first error of one is told when the others are done.
  base::Result<PullCounts> round(const std::stop_token& stop);

  // With a token from `kura-vault enrol NAME --follower` there. `name`: what it is called here; empty: as it calls
  // itself. `key`: what its journals have to be signed with; nothing: what it says now, which is held to from then on.
  base::Result<Following> follow(const std::string& address, const std::string& token, const std::string& name,
                                 const std::optional<crypto::PublicKey>& key, const std::stop_token& stop);
  // No more; what came stays.
  base::Status unfollow(const std::string& name, const std::string& why);
  // Sets the repository going again that stopped; empty: all that did. Returns which. kNotFound: none did.
  base::Result<std::vector<std::string>> accept(const std::string& name, const std::string& repository,
                                                const std::string& who, const std::string& why);
  std::vector<FollowedVault> status() const;

 private:
  struct Worker {
    std::unique_ptr<VaultFollower> follower;
    std::jthread thread;
  };
  VaultFollower& follower_of(const std::string& name) KURA_REQUIRES(mutex_);
  void work_on_all() KURA_REQUIRES(mutex_);
  void run(const std::string& name, VaultFollower& follower, const std::stop_token& stop);

  Followings& followings_;
  const Home home_;
  const PullOptions options_;
  Pace pace_;
  mutable base::Mutex mutex_;
  bool runs_ KURA_GUARDED_BY(mutex_) = false;
  std::map<std::string, Worker> workers_ KURA_GUARDED_BY(mutex_);  // by the vault's name
};

}  // namespace kura::vault
