// kura-vault machines
#include <fmt/format.h>

#include "command.h"

namespace kura::app {

namespace {

base::Result<ExitCode> run_machines(const Context& context) {
  const boost::json::value answer = KURA_TRY(context.ask("/v1/machines"));
  for (const boost::json::value& machine : answer.as_array()) {
    const boost::json::object& known = machine.as_object();
    context.output.result(
        [&] {
          const boost::json::value& until = known.at("certificate_until");
          const std::string state = known.at("revoked").as_bool() ? "revoked"
                                    : until.is_null()             ? "invited"
                                                                  : "until " + std::string(until.as_string());
          return fmt::format("{:<24} {:<24} {}", std::string_view(known.at("machine").as_string()),
                             known.at("role").as_string() == "follower"
                                 ? std::string_view("(a vault that follows)")
                                 : std::string_view(known.at("repository").as_string()),
                             state);
        },
        [&] { return known; });
  }
  return kDone;
}

}  // namespace

void add_machines(CommandTable& table) {
  table.add("machines", "List the machines: name, repository, until when they are let in",
            "Example:\n  kura-vault machines --json", run_machines);
}

}  // namespace kura::app
