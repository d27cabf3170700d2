// The tree of keys (docs/format.md, section 2): what the machine holds, and what only the recovery key holds.
#pragma once

#include <array>
#include <cstdint>

#include "archive/format/config.h"
#include "base/bytes.h"

namespace kura::archive {

// What a machine needs to write and to deduplicate. It opens no chunk.
struct WriteSecrets {
  base::Key write;
  base::Key chunk_id;
  base::Key catalog;
  base::Key series;

  static WriteSecrets derive(const base::Key& write, const RepositoryId& repository);
  // The chunker's table; not kept, since it is large and only backups need it.
  std::array<std::uint64_t, 256> gear_table(const RepositoryId& repository) const;
};

// What opens everything.
struct RecoverySecrets {
  base::Key recovery;
  base::Key box;
  base::Key signing;
  WriteSecrets write;

  static RecoverySecrets derive(const base::Key& recovery, const RepositoryId& repository);
};

}  // namespace kura::archive
