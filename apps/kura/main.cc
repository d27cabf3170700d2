// kura: protect folders, and get them back.
#include <string_view>

#include "app/help_commands.h"
#include "app/program.h"
#include "base/host.h"
#include "command.h"
#include "detect/confined/judge_server.h"

namespace kura::app {

namespace {

constexpr const char* kFooter =
    "Start here:\n"
    "  export KURA_REPO=/mnt/backup/office\n"
    "  kura init                       make the repository; choose a passphrase and keep it safe\n"
    "  kura backup /srv /home          protect; needs no passphrase, so it can run by itself\n"
    "  kura restore latest --target /srv/back\n"
    "\n"
    "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but some files could not be read,\n"
    "4 the repository is damaged, 5 an attack was found, 130 interrupted.";

constexpr const char* kEnvironment =
    "\\fBKURA_PASSPHRASE_FILE\\fR, \\fBKURA_PASSPHRASE\\fR: passphrase of the recovery key, when no option gives it.";

void add_global_options(CLI::App& root, GlobalOptions& options) {
  root.add_option("-r,--repo", options.repository, "Repository: a folder, file:///path or s3://host/bucket/prefix")
      ->envname("KURA_REPO")
      ->type_name("REPOSITORY");
  root.add_option("--state-dir", options.state_folder, "Where this machine keeps its key and caches")
      ->envname("KURA_STATE_DIR")
      ->type_name("DIR");
  root.add_option("--passphrase-file", options.passphrase_file,
                  "File whose first line is the passphrase of the recovery key")
      ->type_name("FILE");
  root.add_option("--recovery-key", options.recovery_key_file, "Off-line recovery key, in place of a passphrase")
      ->envname("KURA_RECOVERY_KEY_FILE")
      ->type_name("FILE");
  add_output_flags(root, options);
}

void add_commands(CommandTable& table) {
  add_init(table);
  add_enrol(table);
  add_backup(table);
  add_snapshots(table);
  add_ls(table);
  add_find(table);
  add_diff(table);
  add_dump(table);
  add_restore(table);
  add_recover(table);
  add_mount(table);
  add_check(table);
  add_copy(table);
  add_forget(table);
  add_gc(table);
  add_guard(table);
  add_inspect(table);
  add_key(table);
  add_stats(table);
  add_version(table);
  add_completion(table);
  add_man(table, "backup", kEnvironment);
}

int parse_and_run(int argc, char** argv) {
  CLI::App root("kura: protect folders against ransomware and loss, and get them back", "kura");
  set_up(root, kFooter);
  GlobalOptions options;
  add_global_options(root, options);
  CommandTable table(root);
  add_commands(table);
  return run_program(table, options, argc, argv);
}

}  // namespace

}  // namespace kura::app

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == kura::detect::kServeJudge) return kura::detect::serve_judge();
  kura::base::occupy_standard_descriptors();
  return kura::app::parse_and_run(argc, argv);
}
