// Symbolic links, fifos and devices.
#pragma once

#include <sys/stat.h>

#include <string>

#include "archive/format/entry.h"

namespace kura::archive {

// Makes what `entry` is under `name` in the folder `at`. 0, or an errno.
int make_special_file(int at, const std::string& name, const Entry& entry);
// Whether what is there (`status`, under the entry's name) is of the same type and leads to the same.
bool is_same_special_file(int at, const struct stat& status, const Entry& entry);

}  // namespace kura::archive
