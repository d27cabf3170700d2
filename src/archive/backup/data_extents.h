// Where the data of a sparse file lie.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <vector>

#include "archive/format/entry.h"

namespace kura::archive {

// By SEEK_DATA and SEEK_HOLE. Nothing for a file that has no holes, or whose file system does not tell: then all of it
// is data. Nothing, too, beyond a million extents, which would cost more than the zeros between them.
std::optional<std::vector<Extent>> find_data_extents(int fd, const struct stat& status);

}  // namespace kura::archive
