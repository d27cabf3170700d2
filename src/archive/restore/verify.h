// Reads a restored tree back and compares it with the ids of its chunks.
#pragma once

#include "archive/restore/restore.h"
#include "archive/restore/target_tree.h"

namespace kura::archive {

class PackReader;
class RestoreReport;

// All files below `start` (what lies at `path` in the snapshot) that are wanted and have not failed already; what was
// written is read from the disk, not from memory, as far as the system allows. What differs is a failed file.
base::Status verify_restored(PackReader& reader, const RestoreOptions& options, const Entry& start,
                             const std::string& path, TargetTree& tree, RestoreReport& report, unsigned threads);

}  // namespace kura::archive
