// kura-vault init
#include <memory>

#include <fmt/format.h>

#include "command.h"
#include "vault/server/site.h"

namespace kura::app {

namespace {

struct InitOptions {
  std::string name = "vault";
  std::vector<std::string> reached_as;
  std::string store;
};

base::Result<ExitCode> run_init(const Context& context, const InitOptions& options) {
  const auto site = KURA_TRY(vault::Site::create(context.options.root, options.name, options.reached_as,
                                                 {.stop = context.stop}, options.store));
  const std::string key = base::to_hex(site->journal().vault());
  context.output.object({{"type", "summary"}, {"root", context.options.root}, {"name", options.name}, {"key", key}});
  context.output.line(fmt::format("vault {} made at {}", options.name, context.options.root));
  context.output.note(
      fmt::format("Its journals are signed by the key {}.\nWrite it down: with it anybody can tell a "
                  "forged journal.\nNext: kura-vault --root {} serve",
                  key, context.options.root));
  return kDone;
}

}  // namespace

void add_init(CommandTable& table) {
  auto options = std::make_shared<InitOptions>();
  CLI::App* command = table.add(
      "init", "Make a vault: its keys, its certificate authority, its journal",
      "Examples:\n  kura-vault --root /srv/vault init --name tokyo-a --reached-as vault-a.example.com\n"
      "  AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=... kura-vault --root /srv/vault init --name tokyo-a \\\n"
      "    --reached-as vault-a.example.com --store 's3://s3.example.com/vault-a?object-lock=30d'",
      [options](const Context& context) { return run_init(context, *options); });
  command->add_option("--name", options->name, "Its name, in journals and certificates")->type_name("NAME");
  command
      ->add_option("--reached-as", options->reached_as, "Name or address by which machines reach it; may be repeated")
      ->required()
      ->type_name("HOST");
  command
      ->add_option("--store", options->store,
                   "A bucket for the objects, with the time for which they are locked (in the vault's folder)")
      ->type_name("s3://HOST/BUCKET[/PREFIX]?object-lock=30d");
}

}  // namespace kura::app
