// The commands `completion` and `man`, that every program has.
#pragma once

#include <memory>
#include <string>

#include "app/commands.h"

namespace kura::app {

template <typename Context>
void add_completion(BasicCommandTable<Context>& table) {
  auto shell = std::make_shared<std::string>();
  const CLI::App* root = &table.root();
  CLI::App* command = table.add("completion", "Print a completion script for a shell",
                                "Example:\n  source <(" + root->get_name() + " completion bash)",
                                [shell, root](const Context& context) -> base::Result<ExitCode> {
                                  context.output.line(completion_script(root, *shell));
                                  return kDone;
                                });
  command->add_option("shell", *shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->type_name("SHELL");
}

// `example`: one of its commands; `environment`: as in man_page().
template <typename Context>
void add_man(BasicCommandTable<Context>& table, const std::string& example, const std::string& environment) {
  auto name = std::make_shared<std::string>();
  const CLI::App* root = &table.root();
  CLI::App* command = table.add(
      "man", "Print a manual page", "Example:\n  " + root->get_name() + " man " + example + " | man -l -",
      [name, root, environment](const Context& context) -> base::Result<ExitCode> {
        const auto found = root->get_subcommands([&](const CLI::App* known) { return known->get_name() == *name; });
        if (!name->empty() && found.empty()) {
          return base::fail(base::ErrorCode::kUsage, "there is no command '" + *name + "'",
                            "`" + root->get_name() + " --help` lists them");
        }
        context.output.line(man_page(root, name->empty() ? root : found.front(), environment));
        return kDone;
      });
  command->add_option("command", *name, "Of this command (default: of " + root->get_name() + " itself)")
      ->type_name("COMMAND");
}

}  // namespace kura::app
