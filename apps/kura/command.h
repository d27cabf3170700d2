// How a command is made known: its options are declared once, on the parser, and give parsing, --help, man page and
// completion. Its run function is called after parsing.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "exit_code.h"
#include "options.h"

namespace kura::app {

using RunCommand = std::function<base::Result<ExitCode>(const Context&)>;

class CommandTable {
 public:
  explicit CommandTable(CLI::App& root) : root_(root) {}

  // A new command; `footer` holds its examples. Options are added to the returned parser, which the root owns.
  CLI::App* add(const std::string& name, const std::string& description, const std::string& footer, RunCommand run);
  // A command below another (`kura key list`).
  CLI::App* add_below(CLI::App* parent, const std::string& name, const std::string& description,
                      const std::string& footer, RunCommand run);
  // The one that was parsed, or null.
  const RunCommand* chosen() const;
  CLI::App& root() const { return root_; }

 private:
  CLI::App& root_;
  std::map<CLI::App*, RunCommand> runs_;
};

// The commands below a parser, parsed or not, in the order declared.
std::vector<const CLI::App*> commands_of(const CLI::App* parser);

// --threads N, from 0 (one a core) to 256.
void add_threads(CLI::App* command, unsigned& threads);

// One of each, in the file of its name.
void add_init(CommandTable& table);
void add_backup(CommandTable& table);
void add_snapshots(CommandTable& table);
void add_ls(CommandTable& table);
void add_find(CommandTable& table);
void add_diff(CommandTable& table);
void add_dump(CommandTable& table);
void add_restore(CommandTable& table);
void add_mount(CommandTable& table);
void add_check(CommandTable& table);
void add_copy(CommandTable& table);
void add_forget(CommandTable& table);
void add_gc(CommandTable& table);
void add_key(CommandTable& table);
void add_stats(CommandTable& table);
void add_version(CommandTable& table);
void add_completion(CommandTable& table);
void add_man(CommandTable& table);

}  // namespace kura::app
