// Runs a program of the system and waits for it, bounded in time and output. No shell is involved.
#pragma once

#include <chrono>
#include <stop_token>
#include <string>
#include <vector>

#include "base/error.h"

namespace kura::guard {

struct Ran {
  int code = 0;        // exit code; 128 and the signal's number when a signal ended it
  std::string output;  // what it wrote to standard output, at most 16 MiB
};

// `words[0]` is looked for in PATH. `input` is given on standard input. kNotFound when there is no such program; kIo
// when it is not done in time (it is then killed); any exit code is an answer.
base::Result<Ran> run_command(const std::vector<std::string>& words, const std::string& input,
                              std::chrono::seconds patience, const std::stop_token& stop);

}  // namespace kura::guard
