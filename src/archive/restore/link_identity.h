// What the names of one file have in common.
#pragma once

#include "archive/format/entry.h"

namespace kura::archive {

// Equal for the names of one file (equal Entry::hard_link), whenever they were looked at; when the file was changed
// between two looks, they are different, and the names are kept apart. Costs a SHA-256 of the entry.
base::Digest link_identity(const Entry& entry);

}  // namespace kura::archive
