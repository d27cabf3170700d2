// kura-vault status
#include <fmt/format.h>

#include "command.h"

namespace kura::app {

namespace {

base::Result<ExitCode> run_status(const Context& context) {
  const boost::json::value answer = KURA_TRY(context.ask("/v1/status"));
  for (const boost::json::value& one : answer.at("repositories").as_array()) {
    const boost::json::object& repository = one.as_object();
    context.output.result(
        [&] {
          const boost::json::value& newest = repository.at("newest");
          return fmt::format("{:<24} {:>6} snapshots, newest {}",
                             std::string_view(repository.at("repository").as_string()),
                             repository.at("snapshots").to_number<std::uint64_t>(),
                             newest.is_null() ? "never" : std::string_view(newest.as_string()));
        },
        [&] { return repository; });
  }
  return kDone;
}

}  // namespace

void add_status(CommandTable& table) {
  table.add("status", "Show what the vault holds, a line a repository", "Example:\n  kura-vault status --json",
            run_status);
}

}  // namespace kura::app
