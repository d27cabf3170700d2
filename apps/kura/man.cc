// kura man
#include <memory>

#include "command.h"

namespace kura::app {

namespace {

constexpr const char* kEnvironment =
    "\\fBKURA_PASSPHRASE_FILE\\fR, \\fBKURA_PASSPHRASE\\fR: passphrase of the recovery key, when no option gives it.";

struct ManOptions {
  std::string command;
};

base::Result<ExitCode> run_man(const Context& context, const ManOptions& options, const CLI::App* root) {
  if (options.command.empty()) {
    context.output.line(man_page(root, root, kEnvironment));
    return kDone;
  }
  const auto found =
      root->get_subcommands([&](const CLI::App* command) { return command->get_name() == options.command; });
  if (found.empty()) {
    return base::fail(base::ErrorCode::kUsage, "there is no command '" + options.command + "'",
                      "`kura --help` lists them");
  }
  context.output.line(man_page(root, found.front(), kEnvironment));
  return kDone;
}

}  // namespace

void add_man(CommandTable& table) {
  auto options = std::make_shared<ManOptions>();
  const CLI::App* root = &table.root();
  CLI::App* command = table.add("man", "Print a manual page", "Example:\n  kura man backup | man -l -",
                                [options, root](const Context& context) { return run_man(context, *options, root); });
  command->add_option("command", options->command, "Of this command (default: of kura itself)")->type_name("COMMAND");
}

}  // namespace kura::app
