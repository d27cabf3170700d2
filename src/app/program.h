// How every program of this kind begins and ends: the words of the call are parsed, the chosen command is run, and what
// went wrong is told in the same way and becomes the exit code.
#pragma once

#include <sys/resource.h>

#include <algorithm>
#include <iostream>
#include <string>
#include <string_view>

#include "app/commands.h"
#include "app/output.h"
#include "base/host.h"
#include "base/signals.h"
#include "base/version.h"

namespace kura::app {

// What every program's parser has.
inline void set_up(CLI::App& root, const char* footer) {
  root.footer(footer);
  root.require_subcommand(1);
  root.set_version_flag("--version", root.get_name() + " " + std::string(base::version()));
  root.get_formatter()->column_width(34);
}

template <typename Options>
void add_output_flags(CLI::App& root, Options& options) {
  root.add_flag("--json", options.json, "One JSON object a line, the summary last");
  root.add_flag("-q,--quiet", options.quiet, "Say nothing but results and problems");
}

// `options` are declared on `root`; `Context` is made of them, the output and a stop token.
template <typename Context, typename Options>
int run_command(const BasicCommandTable<Context>& table, const Options& options) {
  base::SignalStop signals;
  base::raise_file_limit();
  Output output(options.json, options.quiet);
  const Context context{.options = options, .output = output, .stop = signals.token()};
  // Keys are in this process's memory: no core file may take them to the disk.
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  setrlimit(RLIMIT_CORE, &none);
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

template <typename Context, typename Options>
int run_program(const BasicCommandTable<Context>& table, const Options& options, int argc, char** argv) {
  CLI::App& root = table.root();
  if (argc == 1) {
    std::cerr << root.help();
    return kWrongUsage;
  }
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return root.exit(error);  // --help and --version
    // Wrong usage is told as other errors are. Parsing may have ended before it came to the flag.
    const bool json = options.json || std::find(argv, argv + argc, std::string_view("--json")) != argv + argc;
    Output(json, false).problem("", usage_error(root, error));
    return kWrongUsage;
  }
  return run_command(table, options);
}

}  // namespace kura::app
