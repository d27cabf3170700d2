// kura-vault: keeps backups where nobody at the office can reach them.
#include <algorithm>
#include <iostream>
#include <string>
#include <string_view>

#include "base/host.h"
#include "base/signals.h"
#include "base/version.h"
#include "command.h"

namespace kura::app {

namespace {

constexpr const char* kFooter =
    "Start here:\n"
    "  kura-vault --root /srv/vault init --name tokyo-a --reached-as vault-a.example.com\n"
    "  kura-vault --root /srv/vault serve\n"
    "  kura-vault --root /srv/vault enrol server1       prints a token for the machine\n"
    "\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 4 something is damaged, 130 interrupted.";

void add_commands(CommandTable& table) {
  add_init(table);
  add_serve(table);
  add_enrol(table);
  add_revoke(table);
  add_machines(table);
  add_status(table);
  add_decisions(table);
  add_journal(table);
  add_completion(table);
  add_man(table);
}

int run(const CommandTable& table, const VaultOptions& options) {
  base::SignalStop signals;
  base::raise_file_limit();
  Output output(options.json, options.quiet);
  const Context context{.options = options, .output = output, .stop = signals.token()};
  auto code = (*table.chosen())(context);
  if (const auto written = output.finish(); code && !written) code = base::fail(written.error());
  if (code) return *code;
  output.problem("", code.error());
  return exit_code_of(code.error());
}

int parse_and_run(int argc, char** argv) {
  CLI::App root("kura-vault: keep backups where nobody at the office can reach them", "kura-vault");
  root.footer(kFooter);
  root.require_subcommand(1);
  root.set_version_flag("--version", "kura-vault " + std::string(base::version()));
  root.get_formatter()->column_width(34);
  VaultOptions options;
  root.add_option("--root", options.root, "The vault's folder")->envname("KURA_VAULT_ROOT")->type_name("DIR");
  root.add_flag("--json", options.json, "One JSON object a line, the summary last");
  root.add_flag("-q,--quiet", options.quiet, "Say nothing but results and problems");
  CommandTable table(root);
  add_commands(table);
  if (argc == 1) {
    std::cerr << root.help();
    return kWrongUsage;
  }
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return root.exit(error);
    const bool json = options.json || std::find(argv, argv + argc, std::string_view("--json")) != argv + argc;
    Output(json, false).problem("", usage_error(root, error));
    return kWrongUsage;
  }
  return run(table, options);
}

}  // namespace

}  // namespace kura::app

int main(int argc, char** argv) {
  kura::base::occupy_standard_descriptors();
  return kura::app::parse_and_run(argc, argv);
}
