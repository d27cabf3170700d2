// kura completion bash | zsh | fish
#include <memory>

#include "command.h"

namespace kura::app {

namespace {

struct CompletionOptions {
  std::string shell;
};

}  // namespace

void add_completion(CommandTable& table) {
  auto options = std::make_shared<CompletionOptions>();
  CLI::App* root = &table.root();
  CLI::App* command =
      table.add("completion", "Print a completion script for a shell", "Example:\n  source <(kura completion bash)",
                [options, root](const Context& context) -> base::Result<ExitCode> {
                  context.output.line(completion_script(root, options->shell));
                  return kDone;
                });
  command->add_option("shell", options->shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}))
      ->type_name("SHELL");
}

}  // namespace kura::app
