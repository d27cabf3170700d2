// kura-vault's commands.
#pragma once

#include <stop_token>
#include <string>

#include <boost/json/object.hpp>

#include "app/commands.h"
#include "app/output.h"

namespace kura::app {

struct VaultOptions {
  std::string root = "/var/lib/kura-vault";
  bool json = false;
  bool quiet = false;
};

// Given to every command.
struct Context {
  const VaultOptions& options;
  Output& output;
  std::stop_token stop;

  std::string socket() const { return options.root + "/admin.sock"; }
  // What the running vault answers, at its admin socket. kNotFound when it does not run.
  base::Result<boost::json::value> ask(const std::string& path) const;
  base::Result<boost::json::value> tell(const std::string& path, const boost::json::object& body) const;
};

// What the vault answered, as the summary of a command.
boost::json::object summary_of(const boost::json::value& answer);

using CommandTable = BasicCommandTable<Context>;

// One of each, in the file of its name.
void add_init(CommandTable& table);
void add_serve(CommandTable& table);
void add_pull(CommandTable& table);
void add_follow(CommandTable& table);
void add_enrol(CommandTable& table);
void add_revoke(CommandTable& table);
void add_machines(CommandTable& table);
void add_status(CommandTable& table);
void add_decisions(CommandTable& table);
void add_deletion(CommandTable& table);
void add_operator(CommandTable& table);
void add_customer(CommandTable& table);
void add_clock(CommandTable& table);
void add_door(CommandTable& table);
void add_journal(CommandTable& table);

}  // namespace kura::app
