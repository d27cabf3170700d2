// kura-vault clock show | trust
#include <memory>

#include <fmt/format.h>

#include "command.h"
#include "person.h"

namespace kura::app {

namespace {

struct ClockOptions {
  std::string who;
  std::string why;
};

base::Result<ExitCode> run_show(const Context& context) {
  const boost::json::value answer = KURA_TRY(context.ask("/v1/status"));
  const boost::json::value& doubt = answer.at("clock_doubt");
  context.output.object({{"type", "summary"}, {"now", answer.at("now")}, {"doubt", doubt}});
  context.output.line(fmt::format("{}{}", std::string_view(answer.at("now").as_string()),
                                  doubt.is_null() ? "" : ", in doubt: " + std::string(doubt.as_string())));
  return kDone;
}

base::Result<ExitCode> run_trust(const Context& context, const ClockOptions& options) {
  const boost::json::value answer =
      KURA_TRY(context.tell("/v1/clock/trust", {{"who", decider(options.who)}, {"text", options.why}}));
  context.output.object(summary_of(answer));
  context.output.line(fmt::format("the vault's time is {}", std::string_view(answer.at("now").as_string())));
  return kDone;
}

}  // namespace

void add_clock(CommandTable& table) {
  CLI::App* clock = table.add("clock", "What time the vault thinks it is, and whether that is in doubt",
                              "A clock that jumped ages no snapshot: the vault counts on from the last time that was "
                              "sure, and lets nothing go until a person has looked.",
                              {});
  clock->require_subcommand(1);
  table.add_below(clock, "show", "Show the vault's time", "Example:\n  kura-vault clock show", run_show);
  auto options = std::make_shared<ClockOptions>();
  CLI::App* trust =
      table.add_below(clock, "trust", "Say that the machine's clock is right now",
                      "Example:\n  timedatectl; kura-vault clock trust --why 'battery changed, NTP is back'",
                      [options](const Context& context) { return run_trust(context, *options); });
  trust->add_option("--who", options->who, "Who says so, for the journal (the user)")->type_name("NAME");
  trust->add_option("--why", options->why, "For the journal")->type_name("TEXT");
}

}  // namespace kura::app
