// Follows one repository of another vault: its journal first, then what the journal says is there and is not here.
//
// The other vault is not believed in anything. Its journal has to prove right and to go on from where it was; objects
// have to be what their names say, and snapshots to be signed by a machine of the repository before anything that they
// name is fetched. What it lets go of, this vault keeps by its own policy. When its journal does not prove right, this
// repository is not followed on until a person accepts it; what is here stays and is served.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "vault/holding/holding.h"
#include "vault/pull/alarms.h"
#include "vault/pull/followed_journal.h"
#include "vault/pull/mutual_repair.h"
#include "vault/pull/silence.h"
#include "vault/pull/source.h"
#include "vault/pull/wanted.h"

namespace kura::vault {

// Which repository of which vault.
struct FollowedRepository {
  std::string vault;  // by the name that it has here
  crypto::PublicKey key{};
  Holding* holding = nullptr;
  std::string folder;  // for what is kept of the other vault: VAULT.journal, VAULT.told, VAULT.stopped
};

struct PullCounts {
  std::uint64_t commits = 0, objects = 0, bytes = 0, alarms = 0;
  std::uint64_t repaired_here = 0, repaired_there = 0;  // damaged objects that the other vault's bytes put right
  std::uint64_t behind = 0;                             // commits that are there and, as far as is known, not here
  std::uint64_t waiting = 0;  // repositories that could not be followed to the end: the line, this machine

  PullCounts& operator+=(const PullCounts& more);
};

// Used by one thread at a time.
class RepositoryFollower {
 public:
  struct Options {
    unsigned connections = 4;
    std::chrono::seconds silence{};  // an alarm when nothing has been heard of it for so long; 0: never
    std::chrono::seconds quiet{};    // an alarm when nothing new has come there for so long; 0: never
  };
  static base::Result<std::unique_ptr<RepositoryFollower>> open(FollowedRepository repository, const Options& options);

  // Once through: what is new there is here when it returns, but for what cannot be had. `now`: the other vault's time.
  // `counts` grows, also before an error. An error is one of the line or of this machine, and the next round goes on;
  // what the other vault does wrong is an alarm, and none.
  Fetched<void> round(Source& source, std::int64_t now, const std::stop_token& stop, PullCounts& counts);

  // An alarm of `why`, after which this repository is not followed on until accept().
  base::Status stop_following(const std::string& why);
  // An alarm when its journal has not come for too long, or the vault's time stands still. Returns whether it is new.
  base::Result<bool> tell_silence();
  // Why it is not followed on; nothing while it is.
  std::optional<std::string> stopped() const;

 private:
  RepositoryFollower(FollowedRepository repository, const Options& options);
  struct Waiting {  // a snapshot that could not be had
    std::chrono::steady_clock::time_point until;
    int failures = 0;
  };
  Fetched<bool> follow_journal(Source& source, PullCounts& counts);
  Fetched<void> repair_damage(Source& source, PullCounts& counts, const std::stop_token& stop);
  Fetched<void> fetch_wanted(Source& source, PullCounts& counts, const std::stop_token& stop);
  FetchFailure journal_failure(FetchFailure failure, PullCounts& counts);
  base::Result<Wanted> wanted();
  bool is_settled(store::Kind kind, const store::ObjectId& id) const;
  Fetched<void> put_off(Source& source, const store::ObjectId& id, const FetchFailure& failure);
  Fetched<void> take_objects(Source& source, const Wanted& wanted, PullCounts& counts);
  Fetched<void> take_commits(Source& source, const Wanted& wanted, PullCounts& counts, const std::stop_token& stop);
  Fetched<void> take_commit(Source& source, const WantedObject& commit, PullCounts& counts);
  Fetched<void> fetch_all(Source& source, store::Kind kind, const std::vector<store::ObjectInfo>& objects,
                          PullCounts& counts);
  Fetched<std::uint64_t> fetch(Source& source, store::Kind kind, store::ObjectInfo object);
  Fetched<void> tell_undelivered(Source& source, PullCounts& counts);
  Fetched<void> tell_copies(Source& source);
  void load_told();
  base::Status count_behind(PullCounts& counts);
  base::Status tell_frozen(PullCounts& counts);
  base::Status tell_quiet(std::int64_t now, PullCounts& counts);
  std::string path(const char* ending) const { return repository_.folder + "/" + repository_.vault + ending; }

  const FollowedRepository repository_;
  const Options options_;
  Holding& holding_;
  Alarms alarms_;
  Silence silence_;
  MutualRepair repair_;
  std::unique_ptr<FollowedJournal> journal_;  // null while it is not followed
  std::uint64_t seen_ = 0;                    // entries of it, when all that they name was settled
  std::uint64_t looked_at_ = 0;               // entries of it, when it was last looked whether it is frozen
  std::uint64_t told_ = 0;                    // entries of this vault's journal that the other one knows of
  std::map<store::ObjectId, Waiting> waiting_;
  std::map<store::ObjectId, std::string> undelivered_;  // in this round, and why
};

// Sets a repository that stopped going again, from the other vault's journal as it is now: the old copy is kept beside
// it. Not while a round is under way. kNotFound when it did not stop.
base::Status accept_followed(const FollowedRepository& repository, const std::string& who, const std::string& why);

}  // namespace kura::vault
