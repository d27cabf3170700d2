#include "serving.h"

#include <map>
#include <memory>

#include <fmt/format.h>

#include "base/guarded.h"
#include "base/time.h"
#include "net/server.h"
#include "vault/server/admin.h"
#include "vault/server/api.h"
#include "vault/server/door_service.h"
#include "vault/server/housekeeping.h"
#include "vault/server/log.h"
#include "vault/server/scrubber.h"

namespace kura::app {

void add_upkeep_options(CLI::App* command, UpkeepFlags& flags) {
  command
      ->add_option("--reserve", flags.reserve,
                   "Of the disk, shared out among the repositories, so that no flood takes it all (a twentieth)")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/true))
      ->type_name("SIZE");
  command
      ->add_option("--deletion-delay", flags.deletion_delay,
                   "From the second operator's word until something goes before its time (72h)")
      ->type_name("TIME");
  command
      ->add_option("--log", flags.log,
                   "What is written to standard error, a JSON object a line: debug, info, warn, off (info)")
      ->type_name("LEVEL");
  command
      ->add_option("--upkeep-every", flags.upkeep_every,
                   "How often the vault looks for what may go, and at its clock (10m)")
      ->type_name("TIME");
  command
      ->add_option(
          "--database", flags.database,
          "Where it remembers what it has derived: postgresql://USER@HOST/DATABASE (a file in its folder). With "
          "a password, give it by PGPASSFILE or in the environment")
      ->envname("KURA_VAULT_DATABASE")
      ->type_name("URL");
  command
      ->add_option(
          "--scrub-rate", flags.scrub_rate,
          "Bytes a second at which all that is stored is read again and compared with its name; 0: never (20MB)")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/true))
      ->type_name("SIZE");
}

void add_pull_options(CLI::App* command, PullFlags& flags) {
  command->add_option("--connections", flags.connections, "To each vault that is followed (4)")
      ->check(CLI::Range(1, 32))
      ->type_name("N");
  command->add_option("--rate", flags.rate, "Bytes a second that may come from them, such as 20M (no limit)")
      ->type_name("RATE");
  command->add_option("--rate-at", flags.rate_at, "The same for a time of the day: 08:00-19:00=5M; may be repeated")
      ->type_name("TIMES=RATE")
      ->allow_extra_args(false);
  command->add_option("--pause", flags.pause, "Between two looks at them (60s)")->type_name("TIME");
  command->add_option("--patience", flags.patience, "For how long nothing may come of a request (60s)")
      ->type_name("TIME");
  command->add_option("--silence", flags.silence, "Without a word of a vault, before it is an alarm (24h; 0s: never)")
      ->type_name("TIME");
  command
      ->add_option("--quiet-for", flags.quiet,
                   "Without anything new in a repository, before it is an alarm (7d; 0s: never)")
      ->type_name("TIME");
}

base::Result<vault::PullOptions> pull_options(const PullFlags& flags) {
  vault::PullOptions options{.connections = flags.connections};
  options.rate = KURA_TRY(vault::RateSchedule::parse(flags.rate, flags.rate_at));
  options.pause = KURA_TRY_AS(base::parse_duration(flags.pause), "--pause");
  options.patience = KURA_TRY_AS(base::parse_duration(flags.patience), "--patience");
  options.silence = KURA_TRY_AS(base::parse_duration(flags.silence), "--silence");
  options.quiet = KURA_TRY_AS(base::parse_duration(flags.quiet), "--quiet-for");
  return options;
}

// What is wrong with the database is no reason to do anything: the vault goes on without, as a rule a little slower.
vault::SiteOptions site_options(const Context& context, const UpkeepFlags& upkeep,
                                const std::shared_ptr<vault::Log>& log) {
  return {.reserve = upkeep.reserve,
          .stop = context.stop,
          .database = upkeep.database,
          .database_told = [log](const std::optional<base::Error>& trouble) {
            if (log == nullptr) return;
            if (trouble) log->warn("database_down", {{"message", trouble->message()}, {"hint", trouble->hint()}});
            if (!trouble) log->info("database_up", {});
          }};
}

vault::Home home_of(vault::Site& site, Output& output, vault::Log* log) {
  const auto told = std::make_shared<base::Guarded<std::map<std::string, std::string>>>();
  return {.hold = [&site](const std::string& name) { return site.hold(name); },
          .holdings = [&site] { return site.holdings(); },
          .folder_of = [&site](const std::string& name) { return site.folder_of(name); },
          .identities = site.followed_folder(),
          .now = [&site] { return site.now(); },
          .problem =
              [&output, told](const std::string& what, const base::Error& error) {
                const auto last = told->lock();
                std::string& text = (*last)[what];
                if (text == error.text()) return;
                text = error.text();
                output.problem(what, error);
              },
          .repaired =
              [log](const std::string& repository, const std::string& vault, std::uint64_t here, std::uint64_t there) {
                if (log == nullptr) return;
                log->info("repair", {{"repository", repository}, {"vault", vault}, {"here", here}, {"there", there}});
              }};
}

base::Result<ExitCode> run_vault(const Context& context, const std::optional<Place>& place, const UpkeepFlags& upkeep,
                                 const vault::PullOptions& pull, const std::string& door_socket) {
  const std::chrono::seconds pause = KURA_TRY(base::parse_duration(upkeep.upkeep_every));
  const std::chrono::seconds delay = KURA_TRY(base::parse_duration(upkeep.deletion_delay));
  const std::shared_ptr<vault::Log> log = KURA_TRY(vault::Log::open(upkeep.log));
  const auto site = KURA_TRY(vault::Site::open(context.options.root, site_options(context, upkeep, log)));
  vault::Puller puller(site->followings(), home_of(*site, context.output, log.get()), pull);
  const auto server = net::Server::create({});
  const auto door = door_socket.empty() ? nullptr : KURA_TRY(vault::DoorService::open(*site, *server, door_socket));
  vault::Doorkeeper* const keeper = door == nullptr ? nullptr : &door->keeper();
  vault::Api api(*site, *server, log.get(), keeper);
  vault::Admin admin(*site, *server, std::chrono::nanoseconds(delay).count(), &puller, keeper);
  std::uint16_t port = 0;
  if (place) {
    port = KURA_TRY(server->listen({.address = place->address,
                                    .port = place->port,
                                    .certificate_chain = site->server_chain(),
                                    .key = site->server_key(),
                                    .clients = site->authority().certificate(),
                                    .clock = [&] { return site->now(); }},
                                   api));
    if (door != nullptr) KURA_TRY(door->start(place->address, port));
  }
  KURA_TRY(server->listen_locally(context.socket(), admin));
  const auto problem = [&](const std::string& name, const base::Error& error) { context.output.problem(name, error); };
  const vault::Housekeeping housekeeping(*site, {.pause = pause, .delay = delay}, problem);
  const vault::Scrubber scrubber(*site, upkeep.scrub_rate, problem);
  const std::size_t followed = site->followings().all().size();
  puller.start();
  if (place) {
    context.output.object({{"type", "listening"}, {"address", place->address}, {"port", port}});
    context.output.line(fmt::format("vault {} listens at {}:{}", site->name(), place->address, port));
  } else {
    context.output.object({{"type", "pulling"}, {"vaults", followed}});
    context.output.line(fmt::format("vault {} pulls; vaults that it follows: {}", site->name(), followed));
  }
  server->run(context.stop);
  return kDone;
}

}  // namespace kura::app
