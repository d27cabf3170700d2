// Which file of an older folder a file of a newer one was.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "detect/inspect/folder_walk.h"

namespace kura::detect {

// For each of `after` (the files of one folder now) the place in `before` (its files then) of the one that it was, if
// any: by the same name; by the name before somebody put something behind it ("report.docx.locked"); by the same name
// but for the extension; at last, for what went and what came, by a size that only these two share but for at most 4
// KiB. Each old file is given away once.
std::vector<std::optional<std::size_t>> pair_up(const std::vector<FoundFile>& before,
                                                const std::vector<FoundFile>& after);

}  // namespace kura::detect
