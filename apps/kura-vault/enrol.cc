// kura-vault enrol
#include <memory>

#include <fmt/format.h>

#include "command.h"

namespace kura::app {

namespace {

struct EnrolOptions {
  std::string machine;
  std::string repository;
};

base::Result<ExitCode> run_enrol(const Context& context, const EnrolOptions& options) {
  const boost::json::value answer =
      KURA_TRY(context.tell("/v1/invite", {{"machine", options.machine}, {"repository", options.repository}}));
  const boost::json::object& told = answer.as_object();
  context.output.object(summary_of(answer));
  context.output.line(std::string(told.at("token").as_string()));
  context.output.note("It works once, within a day. At the machine:\n  kura enrol https://THIS-VAULT TOKEN");
  return kDone;
}

}  // namespace

void add_enrol(CommandTable& table) {
  auto options = std::make_shared<EnrolOptions>();
  CLI::App* command = table.add("enrol", "Let a machine in: prints a token for it that works once",
                                "Examples:\n  kura-vault enrol pc1\n  kura-vault enrol server1 --repository office",
                                [options](const Context& context) { return run_enrol(context, *options); });
  command->add_option("machine", options->machine, "Its name")->required()->type_name("MACHINE");
  command
      ->add_option("--repository", options->repository, "Where it keeps its backups, made if it is not there (MACHINE)")
      ->type_name("NAME");
}

}  // namespace kura::app
