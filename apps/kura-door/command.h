// kura-door's commands.
#pragma once

#include <stop_token>

#include "app/commands.h"
#include "app/output.h"

namespace kura::app {

struct DoorOptions {
  bool json = false;
  bool quiet = false;
};

// Given to every command.
struct Context {
  const DoorOptions& options;
  Output& output;
  std::stop_token stop;
};

using CommandTable = BasicCommandTable<Context>;

// One of each, in the file of its name.
void add_serve(CommandTable& table);
void add_show(CommandTable& table);
void add_remove(CommandTable& table);

}  // namespace kura::app
