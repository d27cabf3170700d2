// From what the system says of a file to its entry in a listing.
#pragma once

#include <sys/stat.h>

#include <map>
#include <string>
#include <string_view>

#include "archive/format/entry.h"
#include "base/error.h"

namespace kura::archive {

// The names of users and groups, asked for once each. Not shared between threads.
class OwnerNames {
 public:
  const std::string& user(uid_t uid);  // empty when it has none
  const std::string& group(gid_t gid);

 private:
  std::map<uid_t, std::string> users_;
  std::map<gid_t, std::string> groups_;
};

// All that the status tells: type, mode, owners, time, device numbers, hard link, and a file's size as it is now.
Entry entry_of(std::string_view name, const struct stat& status, OwnerNames& owners);

// Where the link `name` in the folder `parent` points to.
base::Result<std::string> read_link(int parent, const char* name);

}  // namespace kura::archive
