// kura-door serve
#include <pwd.h>
#include <unistd.h>

#include <memory>

#include <fmt/format.h>

#include "base/escape.h"
#include "base/number.h"
#include "command.h"
#include "door/helper.h"

namespace kura::app {

namespace {

struct ServeOptions {
  std::string socket = "/run/kura-door/socket";
  std::uint16_t port = 0;
  std::string user;
  std::vector<std::string> keep;
};

base::Result<uid_t> user_of(const std::string& name) {
  if (name.empty()) return ::geteuid();
  if (const auto number = base::parse_number<uid_t>(name)) return *number;
  const passwd* const entry = ::getpwnam(name.c_str());
  if (entry != nullptr) return entry->pw_uid;
  return base::fail(base::ErrorCode::kUsage, fmt::format("there is no user '{}'", base::printable(name)),
                    "make it (`systemd-sysusers`), or name another with --user");
}

base::Result<ExitCode> run_serve(const Context& context, const ServeOptions& options) {
  door::HelperOptions helper_options{
      .socket = options.socket, .user = KURA_TRY(user_of(options.user)), .rules = {.port = {}, .keep = {}}};
  if (options.port != 0) helper_options.rules.port = options.port;
  for (const std::string& text : options.keep) {
    helper_options.rules.keep.push_back(KURA_TRY(door::Keep::parse(text)));
  }
  const auto helper = KURA_TRY(door::Helper::start(std::move(helper_options), [&](const std::string& done) {
    context.output.object({{"type", "done"}, {"message", json_text(done)}});
    context.output.note(done);
  }));
  context.output.object({{"type", "listening"}, {"socket", json_text(options.socket)}});
  context.output.line(fmt::format("the door is shut; it is opened at {}", options.socket));
  KURA_TRY(helper->run(context.stop));
  context.output.line("the door is shut, and stays so: `kura-door remove` takes it away");
  return kDone;
}

}  // namespace

void add_serve(CommandTable& table) {
  auto options = std::make_shared<ServeOptions>();
  CLI::App* command = table.add(
      "serve", "Shut the door, and open it as the vault says, until told to stop (SIGTERM); then it is shut, too",
      "Examples:\n"
      "  kura-door serve --port 7443 --user kura-vault --keep tcp:22:203.0.113.0/24\n"
      "  kura-door serve --port 7443 --user kura-vault --keep tcp:7443:198.51.100.20    vault B may always come\n"
      "  kura-door serve --keep tcp:22:203.0.113.0/24                 vault B: never open to anybody\n"
      "\n"
      "Dropped is all that comes to this machine but: answers to what it began itself, what IP needs\n"
      "to work, what --keep names, and the vault's port for addresses that are let in.",
      [options](const Context& context) { return run_serve(context, *options); });
  command->add_option("--socket", options->socket, "Where the vault asks (/run/kura-door/socket)")->type_name("PATH");
  command->add_option("--port", options->port, "The vault's; without it nothing is ever opened")->type_name("PORT");
  command->add_option("--user", options->user, "Who may ask, besides root (who runs this)")->type_name("USER");
  command->add_option("--keep", options->keep, "Stays reachable: tcp:22:203.0.113.0/24, udp:546 (may be repeated)")
      ->type_name("PROTOCOL:PORT[:NETWORK]")
      ->allow_extra_args(false);
}

}  // namespace kura::app
