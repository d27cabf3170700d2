// kura-vault completion and man
#include <memory>

#include "command.h"

namespace kura::app {

void add_completion(CommandTable& table) {
  auto shell = std::make_shared<std::string>();
  CLI::App* root = &table.root();
  CLI::App* command = table.add("completion", "Print a completion script for a shell",
                                "Example:\n  source <(kura-vault completion bash)",
                                [shell, root](const Context& context) -> base::Result<ExitCode> {
                                  context.output.line(completion_script(root, *shell));
                                  return kDone;
                                });
  command->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->type_name("SHELL");
}

void add_man(CommandTable& table) {
  auto name = std::make_shared<std::string>();
  const CLI::App* root = &table.root();
  CLI::App* command = table.add(
      "man", "Print a manual page", "Example:\n  kura-vault man serve | man -l -",
      [name, root](const Context& context) -> base::Result<ExitCode> {
        const auto found = root->get_subcommands([&](const CLI::App* known) { return known->get_name() == *name; });
        if (!name->empty() && found.empty()) {
          return base::fail(base::ErrorCode::kUsage, "there is no command '" + *name + "'",
                            "`kura-vault --help` lists them");
        }
        context.output.line(man_page(root, name->empty() ? root : found.front(), ""));
        return kDone;
      });
  command->add_option("command", *name, "Of this command (default: of kura-vault itself)")->type_name("COMMAND");
}

}  // namespace kura::app
