// --overwrite, of the commands that write files back.
#pragma once

#include <map>
#include <string>

#include <CLI/CLI.hpp>

#include "archive/restore/restore.h"

namespace kura::app {

inline const std::map<std::string, archive::Overwrite>& overwrite_modes() {
  static const std::map<std::string, archive::Overwrite> kModes{{"never", archive::Overwrite::kNever},
                                                                {"changed", archive::Overwrite::kChanged},
                                                                {"always", archive::Overwrite::kAlways}};
  return kModes;
}

// `mode` becomes one of overwrite_modes().
inline void add_overwrite(CLI::App* command, std::string& mode) {
  command->add_option("--overwrite", mode, "Files that are there: never, changed (type, size or time differs), always")
      ->check(CLI::IsMember(overwrite_modes()).description(""))  // the type name says it better
      ->type_name("never|changed|always")
      ->capture_default_str();
}

}  // namespace kura::app
