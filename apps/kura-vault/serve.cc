// kura-vault serve
#include <chrono>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "base/host.h"
#include "base/number.h"
#include "base/time.h"
#include "command.h"
#include "net/server.h"
#include "store/vault/address.h"
#include "vault/server/admin.h"
#include "vault/server/api.h"
#include "vault/server/door_service.h"
#include "vault/server/housekeeping.h"
#include "vault/server/scrubber.h"
#include "vault/server/site.h"

namespace kura::app {

namespace {

struct ServeOptions {
  std::string listen = fmt::format("0.0.0.0:{}", store::vault::kPort);
  std::optional<std::uint64_t> reserve;
  std::string deletion_delay = "72h";
  std::string upkeep_every = "10m";
  std::uint64_t scrub_rate = 20'000'000;
  std::string log = "info";
  std::string door;
};

struct Place {
  std::string address;
  std::uint16_t port = 0;
};

base::Result<Place> place_of(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  Place place;
  const auto port = colon == std::string::npos
                        ? std::nullopt
                        : base::parse_number<std::uint16_t>(std::string_view(text).substr(colon + 1));
  if (!port) {
    return base::fail(base::ErrorCode::kUsage, fmt::format("'{}' is no place to listen at", text),
                      "write ADDRESS:PORT, such as 0.0.0.0:7443 or [::]:7443");
  }
  place.port = *port;
  place.address = text.substr(0, colon);
  if (place.address.starts_with('[') && place.address.ends_with(']')) {
    place.address = place.address.substr(1, place.address.size() - 2);
  }
  return place;
}

base::Result<ExitCode> run_serve(const Context& context, const ServeOptions& options) {
  const Place place = KURA_TRY(place_of(options.listen));
  const std::chrono::seconds pause = KURA_TRY(base::parse_duration(options.upkeep_every));
  const std::chrono::seconds delay = KURA_TRY(base::parse_duration(options.deletion_delay));
  const auto site = KURA_TRY(vault::Site::open(context.options.root, {.reserve = options.reserve}));
  const auto server = net::Server::create({});
  const auto log = KURA_TRY(vault::Log::open(options.log));
  const auto door = options.door.empty() ? nullptr : KURA_TRY(vault::DoorService::open(*site, *server, options.door));
  vault::Doorkeeper* const keeper = door == nullptr ? nullptr : &door->keeper();
  vault::Api api(*site, *server, log.get(), keeper);
  vault::Admin admin(*site, *server, std::chrono::nanoseconds(delay).count(), keeper);
  const std::uint16_t port = KURA_TRY(server->listen({.address = place.address,
                                                      .port = place.port,
                                                      .certificate_chain = site->server_chain(),
                                                      .key = site->server_key(),
                                                      .clients = site->authority().certificate(),
                                                      .clock = [&] { return site->now(); }},
                                                     api));
  if (door != nullptr) KURA_TRY(door->start(place.address, port));
  KURA_TRY(server->listen_locally(context.socket(), admin));
  const vault::Housekeeping housekeeping(
      *site, {.pause = pause, .delay = delay},
      [&](const std::string& name, const base::Error& error) { context.output.problem(name, error); });
  const vault::Scrubber scrubber(*site, options.scrub_rate, [&](const std::string& name, const base::Error& error) {
    context.output.problem(name, error);
  });
  context.output.object({{"type", "listening"}, {"address", place.address}, {"port", port}});
  context.output.line(fmt::format("vault {} listens at {}:{}", site->name(), place.address, port));
  server->run(context.stop);
  return kDone;
}

}  // namespace

void add_serve(CommandTable& table) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command = table.add("serve", "Take backups, until it is told to stop (SIGTERM)",
                                "Examples:\n  kura-vault --root /srv/vault serve --listen 0.0.0.0:7443\n"
                                "  kura-vault --root /srv/vault serve --door /run/kura-door/socket",
                                [options](const Context& context) { return run_serve(context, *options); });
  command->add_option("--listen", options->listen, "Where machines reach it")->type_name("ADDRESS:PORT");
  command
      ->add_option("--reserve", options->reserve,
                   "Of the disk, shared out among the repositories, so that no flood takes it all (a twentieth)")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/true))
      ->type_name("SIZE");
  command
      ->add_option("--deletion-delay", options->deletion_delay,
                   "From the second operator's word until something goes before its time (72h)")
      ->type_name("TIME");
  command
      ->add_option("--log", options->log,
                   "What is written to standard error, a JSON object a line: debug, info, warn, off (info)")
      ->type_name("LEVEL");
  command
      ->add_option("--upkeep-every", options->upkeep_every,
                   "How often the vault looks for what may go, and at its clock (10m)")
      ->type_name("TIME");
  command
      ->add_option(
          "--scrub-rate", options->scrub_rate,
          "Bytes a second at which all that is stored is read again and compared with its name; 0: never (20MB)")
      ->transform(CLI::AsSizeValue(/*kb_is_1000=*/true))
      ->type_name("SIZE");
  command->add_option("--door", options->door, "Socket of kura-door: the port is open to those alone that are let in")
      ->type_name("PATH");
}

}  // namespace kura::app
