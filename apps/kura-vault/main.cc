// kura-vault: keeps backups where nobody at the office can reach them.
#include "app/help_commands.h"
#include "app/program.h"
#include "base/host.h"
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
  add_pull(table);
  add_follow(table);
  add_enrol(table);
  add_revoke(table);
  add_machines(table);
  add_status(table);
  add_decisions(table);
  add_deletion(table);
  add_operator(table);
  add_customer(table);
  add_clock(table);
  add_door(table);
  add_journal(table);
  add_completion(table);
  add_man(table, "serve", "");
}

int parse_and_run(int argc, char** argv) {
  CLI::App root("kura-vault: keep backups where nobody at the office can reach them", "kura-vault");
  set_up(root, kFooter);
  VaultOptions options;
  root.add_option("--root", options.root, "The vault's folder")->envname("KURA_VAULT_ROOT")->type_name("DIR");
  add_output_flags(root, options);
  CommandTable table(root);
  add_commands(table);
  return run_program(table, options, argc, argv);
}

}  // namespace

}  // namespace kura::app

int main(int argc, char** argv) {
  kura::base::occupy_standard_descriptors();
  return kura::app::parse_and_run(argc, argv);
}
