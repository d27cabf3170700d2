// kura-vault serve
#include <memory>

#include <fmt/format.h>

#include "base/host.h"
#include "base/number.h"
#include "base/time.h"
#include "command.h"
#include "net/server.h"
#include "store/vault/address.h"
#include "vault/server/admin.h"
#include "vault/server/api.h"
#include "vault/server/housekeeping.h"
#include "vault/server/site.h"

namespace kura::app {

namespace {

struct ServeOptions {
  std::string listen = fmt::format("0.0.0.0:{}", store::vault::kPort);
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
  const auto site = KURA_TRY(vault::Site::open(context.options.root, base::now_ns));
  const auto server = net::Server::create({});
  vault::Api api(*site, *server);
  vault::Admin admin(*site, *server);
  const std::uint16_t port = KURA_TRY(server->listen({.address = place.address,
                                                      .port = place.port,
                                                      .certificate_chain = site->server_chain(),
                                                      .key = site->server_key(),
                                                      .clients = site->authority().certificate()},
                                                     api));
  KURA_TRY(server->listen_locally(context.socket(), admin));
  const vault::Housekeeping housekeeping(
      *site, {}, [&](const std::string& name, const base::Error& error) { context.output.problem(name, error); });
  context.output.object({{"type", "listening"}, {"address", place.address}, {"port", port}});
  context.output.line(fmt::format("vault {} listens at {}:{}", site->name(), place.address, port));
  server->run(context.stop);
  return kDone;
}

}  // namespace

void add_serve(CommandTable& table) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command = table.add("serve", "Take backups, until it is told to stop (SIGTERM)",
                                "Example:\n  kura-vault --root /srv/vault serve --listen 0.0.0.0:7443",
                                [options](const Context& context) { return run_serve(context, *options); });
  command->add_option("--listen", options->listen, "Where machines reach it")->type_name("ADDRESS:PORT");
}

}  // namespace kura::app
