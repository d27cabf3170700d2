// kura-vault revoke
#include <memory>

#include <fmt/format.h>

#include "command.h"

namespace kura::app {

namespace {

struct RevokeOptions {
  std::string machine;
  std::string why;
};

base::Result<ExitCode> run_revoke(const Context& context, const RevokeOptions& options) {
  const boost::json::value answer =
      KURA_TRY(context.tell("/v1/revoke", {{"machine", options.machine}, {"why", options.why}}));
  const std::int64_t cut = answer.at("connections_cut").to_number<std::int64_t>();
  context.output.object({{"type", "summary"}, {"machine", options.machine}, {"connections_cut", cut}});
  context.output.line(fmt::format("{} is not let in any more; connections cut: {}", options.machine, cut));
  return kDone;
}

}  // namespace

void add_revoke(CommandTable& table) {
  auto options = std::make_shared<RevokeOptions>();
  CLI::App* command = table.add("revoke", "Let a machine in no more, at once; what it stored stays",
                                "Example:\n  kura-vault revoke pc1 --why 'stolen'",
                                [options](const Context& context) { return run_revoke(context, *options); });
  command->add_option("machine", options->machine, "Its name")->required()->type_name("MACHINE");
  command->add_option("--why", options->why, "For the journal")->type_name("TEXT");
}

}  // namespace kura::app
