// Running a restore in a test, and looking at what it wrote.
#pragma once

#include <map>
#include <string>

#include "archive/restore/restore.h"

namespace kura::archive::test {

struct Restored {
  base::Result<RestoreSummary> summary;
  std::map<std::string, base::Error> problems;  // by path in the snapshot
};

Restored restore(const Repository& repository, const StoredSnapshot& snapshot, const RestoreOptions& options,
                 std::stop_token stop = {});

std::string read_file(const std::string& path);
void write_file(const std::string& path, std::string_view bytes);

// Everything below a folder, a line for each name: type, mode, owner, size, time, target, device, attributes, contents,
// and which names are one file. Equal trees have equal descriptions. Sockets are left out: they are not restored.
std::map<std::string, std::string> describe_tree(const std::string& folder);

}  // namespace kura::archive::test
