// Follows all repositories of one other vault, round after round.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/guarded.h"
#include "vault/pull/followings.h"
#include "vault/pull/repository_follower.h"

namespace kura::vault {

struct PullOptions {
  unsigned connections = 4;  // to each followed vault
  RateSchedule rate = {};
  std::chrono::seconds pause{60};             // between two rounds
  std::chrono::seconds patience{60};          // for how long nothing may come of a request
  std::chrono::seconds silence{24 * 3600};    // without a word of a vault, or its time standing still: an alarm
  std::chrono::seconds quiet{7 * 24 * 3600};  // without anything new in a repository: an alarm; 0: never
};

// What a follower needs of the vault that it is in.
struct Home {
  // A repository, made if it is not there.
  std::function<base::Result<Holding*>(const std::string& name)> hold;
  std::function<std::vector<Holding*>()> holdings;
  std::function<std::string(const std::string& name)> folder_of;  // of a repository
  std::string identities;                                         // the folder for what it shows to others
  std::function<std::int64_t()> now;
  std::function<void(const std::string& what, const base::Error& error)> problem;
  // Damage in a repository was put right: of so many objects here, and at the followed vault. May be empty.
  std::function<void(const std::string& repository, const std::string& vault, std::uint64_t here, std::uint64_t there)>
      repaired = {};
};

struct FollowedState {
  std::string repository = {};
  std::string state =
      {};                // "following", "waiting" (the line, this machine), "stopped" (its journal did not prove right)
  std::string why = {};  // unless it is following
  std::uint64_t behind = 0;
  std::int64_t followed = 0;  // when it was through last, by this vault's clock; 0: not since the start
};

// status() may be called from any thread, the rest by one.
class VaultFollower {
 public:
  // All outlive it.
  VaultFollower(std::string name, Followings& followings, const Home& home, const PullOptions& options, Pace& pace);

  // Once through all its repositories. An error: the vault as a whole could not be followed.
  base::Result<PullCounts> round(const std::stop_token& stop);
  std::vector<FollowedState> status() const;

  // The repository as followed from that vault.
  static FollowedRepository followed(const Following& vault, Holding& holding, const Home& home);

 private:
  Fetched<PullCounts> try_round(const Following& vault, const std::stop_token& stop);
  base::Result<Source*> source(const Following& vault, const std::stop_token& stop);
  Fetched<VaultCard> card(const Following& vault, Source& source);
  std::vector<std::string> known_repositories(const Following& vault) const;
  base::Result<RepositoryFollower*> follower(const Following& vault, const std::string& repository);
  void follow(const Following& vault, const std::string& repository, bool is_there, std::int64_t now, Source& source,
              PullCounts& counts, const std::stop_token& stop);
  void note(const std::string& repository, FollowedState state);
  std::uint64_t tell_silence(const Following& vault);
  void note_waiting(const base::Error& why);

  const std::string name_;
  Followings& followings_;
  const Home& home_;
  const PullOptions& options_;
  Pace& pace_;
  std::string server_;  // that source_ goes to
  std::unique_ptr<Source> source_;
  std::map<std::string, std::unique_ptr<RepositoryFollower>> followers_;
  base::Guarded<std::map<std::string, FollowedState>> states_;
};

}  // namespace kura::vault
