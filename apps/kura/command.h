// kura's commands.
#pragma once

#include "app/commands.h"
#include "options.h"

namespace kura::app {

using CommandTable = BasicCommandTable<Context>;

// --threads N, from 0 (one a core) to 256.
void add_threads(CLI::App* command, unsigned& threads);

// One of each, in the file of its name.
void add_init(CommandTable& table);
void add_enrol(CommandTable& table);
void add_backup(CommandTable& table);
void add_snapshots(CommandTable& table);
void add_ls(CommandTable& table);
void add_find(CommandTable& table);
void add_diff(CommandTable& table);
void add_dump(CommandTable& table);
void add_restore(CommandTable& table);
void add_recover(CommandTable& table);
void add_mount(CommandTable& table);
void add_check(CommandTable& table);
void add_copy(CommandTable& table);
void add_forget(CommandTable& table);
void add_gc(CommandTable& table);
void add_guard(CommandTable& table);
void add_inspect(CommandTable& table);
void add_key(CommandTable& table);
void add_stats(CommandTable& table);
void add_version(CommandTable& table);

}  // namespace kura::app
