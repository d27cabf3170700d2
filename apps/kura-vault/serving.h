// A vault that runs: what `kura-vault serve` and `kura-vault pull` share.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "command.h"
#include "vault/pull/puller.h"
#include "vault/server/log.h"
#include "vault/server/site.h"

namespace kura::app {

// How other vaults are followed, as it is given.
struct PullFlags {
  unsigned connections = 4;
  std::string rate;
  std::vector<std::string> rate_at;
  std::string pause = "60s", patience = "60s", silence = "24h", quiet = "7d";
};
void add_pull_options(CLI::App* command, PullFlags& flags);
base::Result<vault::PullOptions> pull_options(const PullFlags& flags);

// What a puller needs of the vault that it is in; both outlive it. The same problem is told once, until it changes.
// `log` may be null, and outlives it else.
vault::Home home_of(vault::Site& site, Output& output, vault::Log* log = nullptr);

// How the vault looks after what it holds, as it is given.
struct UpkeepFlags {
  std::optional<std::uint64_t> reserve;
  std::string deletion_delay = "72h";
  std::string upkeep_every = "10m";
  std::uint64_t scrub_rate = 20'000'000;
  std::string log = "info";
  std::string database;
};
void add_upkeep_options(CLI::App* command, UpkeepFlags& flags);

// How its site is opened; `log` may be null.
vault::SiteOptions site_options(const Context& context, const UpkeepFlags& upkeep,
                                const std::shared_ptr<vault::Log>& log);

struct Place {
  std::string address;
  std::uint16_t port = 0;
};

// Runs the vault until it is told to stop: with its admin socket and housekeeping, following other vaults, and at
// `place` for machines; without one nobody on the network reaches it. `door`: the socket of kura-door, if it has one.
base::Result<ExitCode> run_vault(const Context& context, const std::optional<Place>& place, const UpkeepFlags& upkeep,
                                 const vault::PullOptions& pull, const std::string& door = "");

}  // namespace kura::app
