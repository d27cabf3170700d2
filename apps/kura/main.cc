// kura: protect folders, and get them back.
#include <sys/resource.h>

#include <algorithm>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/host.h"
#include "base/signals.h"
#include "base/version.h"
#include "command.h"

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
    "4 the repository is damaged, 130 interrupted.";

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
  root.add_flag("--json", options.json, "One JSON object a line, the summary last");
  root.add_flag("-q,--quiet", options.quiet, "Say nothing but results and problems");
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
  add_mount(table);
  add_check(table);
  add_copy(table);
  add_forget(table);
  add_gc(table);
  add_key(table);
  add_stats(table);
  add_version(table);
  add_completion(table);
  add_man(table);
}

// Keys are in this process's memory: no core file may take them to the disk.
void forbid_core_files() {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  setrlimit(RLIMIT_CORE, &none);
}

// Wrong usage is told as other errors are; --help and --version are no errors.
int report_parse_error(const CLI::App& root, const CLI::ParseError& error, bool json) {
  if (error.get_exit_code() == 0) return root.exit(error);
  Output(json, false).problem("", usage_error(root, error));
  return kWrongUsage;
}

int run(const CommandTable& table, const GlobalOptions& options) {
  base::SignalStop signals;
  base::raise_file_limit();
  Output output(options.json, options.quiet);
  const Context context{.options = options, .output = output, .stop = signals.token()};
  forbid_core_files();
  auto code = (*table.chosen())(context);
  if (const auto written = output.finish(); code && !written) code = base::fail(written.error());
  if (code) return *code;
  if (code.error().code() == base::ErrorCode::kInterrupted && !options.json) {
    output.warning(code.error().text());
  } else {
    output.problem("", code.error());
  }
  return exit_code_of(code.error());
}

int parse_and_run(int argc, char** argv) {
  CLI::App root("kura: protect folders against ransomware and loss, and get them back", "kura");
  root.footer(kFooter);
  root.require_subcommand(1);
  root.set_version_flag("--version", "kura " + std::string(base::version()));
  root.get_formatter()->column_width(34);
  GlobalOptions options;
  add_global_options(root, options);
  CommandTable table(root);
  add_commands(table);
  if (argc == 1) {
    std::cerr << root.help();
    return kWrongUsage;
  }
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Parsing may have ended before it came to the flag.
    const bool json = options.json || std::find(argv, argv + argc, std::string_view("--json")) != argv + argc;
    return report_parse_error(root, error, json);
  }
  return run(table, options);
}

}  // namespace

}  // namespace kura::app

int main(int argc, char** argv) {
  kura::base::occupy_standard_descriptors();
  return kura::app::parse_and_run(argc, argv);
}
