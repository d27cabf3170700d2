// kura-door: keeps a vault's port shut, and opens it for single addresses when the vault says so.
#include "app/help_commands.h"
#include "app/program.h"
#include "base/host.h"
#include "command.h"

namespace kura::app {

namespace {

constexpr const char* kFooter =
    "Start here, as root:\n"
    "  kura-door serve --port 7443 --user kura-vault --keep tcp:22:203.0.113.0/24\n"
    "  kura-vault serve --door /run/kura-door/socket      as the user kura-vault\n"
    "  kura-door show                                     who is let in, and how long\n"
    "\n"
    "Everything that is not kept reachable is dropped, also when this program has ended.\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.";

void add_commands(CommandTable& table) {
  add_serve(table);
  add_show(table);
  add_remove(table);
  add_completion(table);
  add_man(table, "serve", "");
}

int parse_and_run(int argc, char** argv) {
  CLI::App root("kura-door: keep a vault's port shut but for those whom the vault lets in", "kura-door");
  set_up(root, kFooter);
  DoorOptions options;
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
