// Entries of snapshots as lines and as JSON.
#pragma once

#include <string>

#include <boost/json.hpp>

#include "archive/format/entry.h"

namespace kura::app {

// Names end in '/' for folders; nothing in a name can drive the terminal.
std::string short_line(const std::string& path, const archive::Entry& entry);
// "-rw-r--r-- alice staff 1,234 2026-11-24T01:02:03Z /path -> target", as ls -l does.
std::string long_line(const std::string& path, const archive::Entry& entry);
// {"type":"entry","path","kind","size","mode","uid","gid","user","group","mtime","target"}
boost::json::object entry_json(const std::string& path, const archive::Entry& entry);

}  // namespace kura::app
