#include "app/commands.h"

#include <fmt/format.h>

#include "base/escape.h"

namespace kura::app {

std::vector<const CLI::App*> commands_of(const CLI::App* parser) {
  return parser->get_subcommands([](const CLI::App*) { return true; });
}

base::Error usage_error(const CLI::App& root, const CLI::ParseError& error) {
  const std::vector<std::string> unknown = root.remaining();
  if (root.get_subcommands().empty() && !unknown.empty() && !unknown.front().starts_with('-')) {
    return {base::ErrorCode::kUsage, fmt::format("there is no command '{}'", base::printable(unknown.front())),
            fmt::format("`{} --help` lists the commands", root.get_name())};
  }
  std::string name = root.get_name();
  for (const CLI::App* command = &root; !command->get_subcommands().empty();) {
    command = command->get_subcommands().front();
    name += " " + command->get_name();
  }
  return {base::ErrorCode::kUsage, base::printable(error.what()), fmt::format("See `{} --help`", name)};
}

}  // namespace kura::app
