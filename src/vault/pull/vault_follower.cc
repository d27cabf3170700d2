#include "vault/pull/vault_follower.h"

#include <unistd.h>

#include <set>
#include <utility>

#include <fmt/format.h>

namespace kura::vault {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

}  // namespace

VaultFollower::VaultFollower(std::string name, Followings& followings, const Home& home, const PullOptions& options,
                             Pace& pace)
    : name_(std::move(name)), followings_(followings), home_(home), options_(options), pace_(pace) {}

FollowedRepository VaultFollower::followed(const Following& vault, Holding& holding, const Home& home) {
  return {.vault = vault.name,
          .key = vault.key,
          .holding = &holding,
          .folder = home.folder_of(holding.name()) + "/followed"};
}

Result<PullCounts> VaultFollower::round(const std::stop_token& stop) {
  const auto vault = followings_.find(name_);
  if (!vault) return base::fail(ErrorCode::kNotFound, fmt::format("the vault {} is not followed any more", name_));
  Fetched<PullCounts> counts = try_round(*vault, stop);
  const std::uint64_t alarms = tell_silence(*vault);
  if (!counts) {
    note_waiting(counts.error().error);
    return base::fail(std::move(counts).error().error);
  }
  counts->alarms += alarms;
  return *counts;
}

Fetched<PullCounts> VaultFollower::try_round(const Following& vault, const std::stop_token& stop) {
  const auto line_failed = [](Error error) {
    return std::unexpected(FetchFailure{.blame = Blame::kLine, .error = std::move(error)});
  };
  const Result<Source*> source = this->source(vault, stop);
  if (!source) return line_failed(source.error());
  (*source)->renew_when_due();
  const auto now = (*source)->time();
  if (!now) return std::unexpected(now.error());
  const auto card = this->card(vault, **source);
  if (!card) return std::unexpected(card.error());
  const std::set<std::string> there(card->repositories.begin(), card->repositories.end());
  std::set<std::string> all = there;
  for (std::string& name : known_repositories(vault)) all.insert(std::move(name));
  PullCounts counts;
  for (const std::string& name : all) {
    if (stop.stop_requested()) return line_failed({ErrorCode::kInterrupted, "interrupted"});
    follow(vault, name, there.contains(name), *now, **source, counts, stop);
  }
  return counts;
}

// The same one as long as the vault is at the same place: its connections stay open.
Result<Source*> VaultFollower::source(const Following& vault, const std::stop_token& stop) {
  if (!source_ || server_ != vault.address.server()) {
    source_ =
        KURA_TRY(Source::open(vault.address, home_.identities + "/" + vault.name, pace_, options_.patience, stop));
    server_ = vault.address.server();
  }
  return source_.get();
}

Fetched<VaultCard> VaultFollower::card(const Following& vault, Source& source) {
  Fetched<VaultCard> card = source.card();
  if (!card || card->key == vault.key) return card;
  const std::string text =
      fmt::format("following {}: it says that another key signs its journals: {}", vault.name, base::to_hex(card->key));
  if (const auto told = followings_.alarm(text, home_.now()); !told) home_.problem(vault.name, told.error());
  return std::unexpected(FetchFailure{.blame = Blame::kSource, .error = {ErrorCode::kDamaged, text}});
}

// Those of which something came before: they have to be there still.
std::vector<std::string> VaultFollower::known_repositories(const Following& vault) const {
  std::vector<std::string> known;
  for (Holding* holding : home_.holdings()) {
    const FollowedRepository repository = followed(vault, *holding, home_);
    const std::string path = repository.folder + "/" + repository.vault + ".journal";
    if (::access(path.c_str(), F_OK) == 0) known.push_back(holding->name());
  }
  return known;
}

Result<RepositoryFollower*> VaultFollower::follower(const Following& vault, const std::string& repository) {
  auto& known = followers_[repository];
  if (!known) {
    Holding* const holding = KURA_TRY(home_.hold(repository));
    known = KURA_TRY(RepositoryFollower::open(
        followed(vault, *holding, home_),
        {.connections = options_.connections, .silence = options_.silence, .quiet = options_.quiet}));
  }
  return known.get();
}

// What is wrong with one repository is no reason not to follow the others.
void VaultFollower::follow(const Following& vault, const std::string& repository, bool is_there, std::int64_t now,
                           Source& source, PullCounts& counts, const std::stop_token& stop) {
  const auto waits = [&](const Error& error) {
    ++counts.waiting;
    home_.problem(fmt::format("{} of {}", repository, vault.name), error);
    note(repository, {.repository = repository, .state = "waiting", .why = error.message()});
  };
  const Result<RepositoryFollower*> follower = this->follower(vault, repository);
  if (!follower) return waits(follower.error());
  if (!is_there && !(*follower)->stopped()) {
    ++counts.alarms;
    const auto stopped = (*follower)->stop_following("rollback: the repository is not there any more");
    if (!stopped) return waits(stopped.error());
  }
  PullCounts own;
  const Fetched<void> done = (*follower)->round(source, now, stop, own);
  counts += own;
  if (home_.repaired && own.repaired_here + own.repaired_there != 0) {
    home_.repaired(repository, vault.name, own.repaired_here, own.repaired_there);
  }
  if (!done) return waits(done.error().error);
  const std::optional<std::string> stopped = (*follower)->stopped();
  if (stopped) {
    home_.problem(fmt::format("{} of {}", repository, vault.name),
                  {ErrorCode::kDamaged, "it is not followed on: " + *stopped,
                   fmt::format("see what happened at {}; then `kura-vault accept {}`", vault.name, vault.name)});
  }
  note(repository, {.repository = repository,
                    .state = stopped ? "stopped" : "following",
                    .why = stopped.value_or(""),
                    .behind = own.behind,
                    .followed = stopped ? 0 : home_.now()});
}

void VaultFollower::note(const std::string& repository, FollowedState state) {
  const auto states = states_.lock();
  FollowedState& known = (*states)[repository];
  if (state.followed == 0) state.followed = known.followed;
  known = std::move(state);
}

std::vector<FollowedState> VaultFollower::status() const {
  std::vector<FollowedState> all;
  const auto states = states_.lock();
  for (const auto& [name, state] : *states) all.push_back(state);
  return all;
}

void VaultFollower::note_waiting(const Error& why) {
  const auto states = states_.lock();
  for (auto& [name, state] : *states) {
    if (state.state == "stopped") continue;
    state.state = "waiting";
    state.why = why.message();
  }
}

// Of all that came from it, also when the vault as a whole does not answer. Returns how many alarms that is.
std::uint64_t VaultFollower::tell_silence(const Following& vault) {
  std::uint64_t alarms = 0;
  for (const std::string& repository : known_repositories(vault)) {
    const Result<RepositoryFollower*> follower = this->follower(vault, repository);
    const Result<bool> told = follower ? (*follower)->tell_silence() : Result<bool>(base::fail(follower.error()));
    if (!told) home_.problem(repository, told.error());
    if (told && *told) ++alarms;
  }
  return alarms;
}

}  // namespace kura::vault
