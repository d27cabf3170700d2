// How a program's commands are made known: options are declared once, on the parser, and give parsing, --help, man page
// and completion. A command's run function is called after parsing.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "app/exit_code.h"
#include "base/error.h"

namespace kura::app {

// `Context`: what the program gives to each command.
template <typename Context>
class BasicCommandTable {
 public:
  using Run = std::function<base::Result<ExitCode>(const Context&)>;

  explicit BasicCommandTable(CLI::App& root) : root_(root) {}

  // A new command; `footer` holds its examples. Options are added to the returned parser, which the root owns.
  CLI::App* add(const std::string& name, const std::string& description, const std::string& footer, Run run) {
    return add_below(&root_, name, description, footer, std::move(run));
  }
  // A command below another (`kura key list`).
  CLI::App* add_below(CLI::App* parent, const std::string& name, const std::string& description,
                      const std::string& footer, Run run) {
    CLI::App* command = parent->add_subcommand(name, description);
    command->footer(footer);
    command->fallthrough();  // global options are understood behind the command too
    if (run) runs_.emplace(command, std::move(run));
    return command;
  }
  // The one that was parsed, or null.
  const Run* chosen() const {
    for (const auto& [command, run] : runs_) {
      if (command->parsed()) return &run;
    }
    return nullptr;
  }
  CLI::App& root() const { return root_; }

 private:
  CLI::App& root_;
  std::map<CLI::App*, Run> runs_;
};

// The commands below a parser, parsed or not, in the order declared.
std::vector<const CLI::App*> commands_of(const CLI::App* parser);

// Why the words of a call were not understood, and which help tells more: that of the command as far as it was.
base::Error usage_error(const CLI::App& root, const CLI::ParseError& error);

// A manual page in roff, of the root or of one of its commands; `environment` is the text of its section, in roff.
std::string man_page(const CLI::App* root, const CLI::App* parser, const std::string& environment);

// A completion script; `shell` is "bash", "zsh" or "fish".
std::string completion_script(const CLI::App* root, const std::string& shell);

}  // namespace kura::app
