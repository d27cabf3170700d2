// kura enrol
#include <memory>

#include <fmt/format.h>

#include "command.h"
#include "store/vault_enrolment.h"

namespace kura::app {

namespace {

struct EnrolOptions {
  std::string vault;
  std::string token;
};

base::Result<ExitCode> run_enrol(const Context& context, const EnrolOptions& options) {
  store::vault::Address address = KURA_TRY(store::vault::parse_address(options.vault, /*needs_name=*/false));
  const std::string folder = address.identity_folder(context.state_folder());
  const store::vault::Enrolled enrolled = KURA_TRY(store::vault::enrol(address, options.token, folder, context.stop));
  address.repository = enrolled.repository;
  context.output.object({{"type", "summary"}, {"machine", enrolled.machine}, {"repository", address.text()}});
  context.output.line(fmt::format("enrolled as {}; repository {}", enrolled.machine, address.text()));
  context.output.note(fmt::format("Next: kura -r {} init", address.text()));
  return kDone;
}

}  // namespace

void add_enrol(CommandTable& table) {
  auto options = std::make_shared<EnrolOptions>();
  CLI::App* command = table.add(
      "enrol", "Make this machine known to a vault, with a token from it",
      "Examples:\n  kura enrol https://vault-a.example.com TOKEN\n  kura -r https://vault-a.example.com/office init\n\n"
      "The token comes from `kura-vault enrol MACHINE` and works once. This machine's key is made\n"
      "here and never leaves; its certificate is renewed by itself.",
      [options](const Context& context) { return run_enrol(context, *options); });
  command->add_option("vault", options->vault, "https://HOST[:7443]")->required()->type_name("VAULT");
  command->add_option("token", options->token, "What `kura-vault enrol` printed")->required()->type_name("TOKEN");
}

}  // namespace kura::app
