#include "command.h"

namespace kura::app {

CLI::App* CommandTable::add(const std::string& name, const std::string& description, const std::string& footer,
                            RunCommand run) {
  return add_below(&root_, name, description, footer, std::move(run));
}

CLI::App* CommandTable::add_below(CLI::App* parent, const std::string& name, const std::string& description,
                                  const std::string& footer, RunCommand run) {
  CLI::App* command = parent->add_subcommand(name, description);
  command->footer(footer);
  command->fallthrough();  // global options are understood behind the command too
  if (run) runs_.emplace(command, std::move(run));
  return command;
}

const RunCommand* CommandTable::chosen() const {
  for (const auto& [command, run] : runs_) {
    if (command->parsed()) return &run;
  }
  return nullptr;
}

void add_threads(CLI::App* command, unsigned& threads) {
  command->add_option("--threads", threads, "Threads (0: one a core)")
      ->check(CLI::Range(0U, 256U).description(""))  // help says N, not how N is checked
      ->type_name("N");
}

std::vector<const CLI::App*> commands_of(const CLI::App* parser) {
  return parser->get_subcommands([](const CLI::App*) { return true; });
}

}  // namespace kura::app
