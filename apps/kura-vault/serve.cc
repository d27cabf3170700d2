// kura-vault serve
#include <chrono>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "base/number.h"
#include "command.h"
#include "serving.h"
#include "store/vault/address.h"

namespace kura::app {

namespace {

struct ServeOptions {
  std::string listen = fmt::format("0.0.0.0:{}", store::vault::kPort);
  UpkeepFlags upkeep;
  PullFlags pull;
  std::string door;
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
  return run_vault(context, place, options.upkeep, KURA_TRY(pull_options(options.pull)), options.door);
}

}  // namespace

void add_serve(CommandTable& table) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command = table.add("serve", "Take backups, until it is told to stop (SIGTERM)",
                                "Examples:\n  kura-vault --root /srv/vault serve --listen 0.0.0.0:7443\n"
                                "  kura-vault --root /srv/vault serve --door /run/kura-door/socket\n\n"
                                "It follows the vaults that it was told to (`kura-vault follow`), as `pull` does.",
                                [options](const Context& context) { return run_serve(context, *options); });
  command->add_option("--listen", options->listen, "Where machines reach it")->type_name("ADDRESS:PORT");
  command->add_option("--door", options->door, "Socket of kura-door: the port is open to those alone that are let in")
      ->type_name("PATH");
  add_upkeep_options(command, options->upkeep);
  add_pull_options(command, options->pull);
}

}  // namespace kura::app
