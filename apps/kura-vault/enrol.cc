// kura-vault enrol
#include <memory>

#include <fmt/format.h>

#include "command.h"

namespace kura::app {

namespace {

struct EnrolOptions {
  std::string machine;
  std::string repository;
  bool follower = false;
};

base::Result<ExitCode> run_enrol(const Context& context, const EnrolOptions& options) {
  if (options.follower && !options.repository.empty()) {
    return base::fail(base::ErrorCode::kUsage, "a vault that follows this one follows all repositories");
  }
  const boost::json::value answer =
      KURA_TRY(context.tell("/v1/invite", {{"machine", options.machine},
                                           {"repository", options.repository},
                                           {"role", options.follower ? "follower" : "machine"}}));
  const boost::json::object& told = answer.as_object();
  context.output.object(summary_of(answer));
  context.output.line(std::string(told.at("token").as_string()));
  context.output.note(
      options.follower
          ? "It works once, within a day. At the other vault:\n  kura-vault follow https://THIS-VAULT TOKEN"
          : "It works once, within a day. At the machine:\n  kura enrol https://THIS-VAULT TOKEN");
  return kDone;
}

}  // namespace

void add_enrol(CommandTable& table) {
  auto options = std::make_shared<EnrolOptions>();
  CLI::App* command =
      table.add("enrol", "Let a machine in, or a vault that follows this one: prints a token that works once",
                "Examples:\n  kura-vault enrol pc1\n  kura-vault enrol server1 --repository office\n"
                "  kura-vault enrol osaka-b --follower",
                [options](const Context& context) { return run_enrol(context, *options); });
  command->add_option("machine", options->machine, "Its name")->required()->type_name("MACHINE");
  command
      ->add_option("--repository", options->repository, "Where it keeps its backups, made if it is not there (MACHINE)")
      ->type_name("NAME");
  command->add_flag("--follower", options->follower,
                    "It is another vault: it reads all repositories, and changes nothing");
}

}  // namespace kura::app
