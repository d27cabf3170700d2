// SNAPSHOT[:PATH], as a person writes it.
#pragma once

#include <string>
#include <string_view>

#include "archive/repo/chunk_index.h"
#include "options.h"

namespace kura::app {

inline constexpr const char* kSelectionHelp =
    "Snapshot: id (4 or more digits), latest, or clean; after ':' an absolute path in it";

struct Selection {
  std::string snapshot;
  std::string path = "/";  // absolute, without a trailing '/'

  static base::Result<Selection> parse(std::string_view text);
  // Warns of damaged snapshots on the way.
  base::Result<archive::StoredSnapshot> find(const Context& context, const archive::Repository& repository) const;
};

// A selection whose snapshot is found and whose chunks can be looked up.
struct OpenedSelection {
  archive::StoredSnapshot snapshot;
  archive::ChunkIndex index;
  std::string path;

  // Warns of indexes that were damaged and made again.
  static base::Result<OpenedSelection> open(const Context& context, const archive::Repository& repository,
                                            std::string_view what);
  // The same for a snapshot that was found already: the repository is not listed again.
  static base::Result<OpenedSelection> open(const Context& context, const archive::Repository& repository,
                                            archive::StoredSnapshot snapshot, std::string path);
  const archive::ContentRef& root() const { return snapshot.snapshot.label->root; }
};

// A warning for each; `consequence` follows the object's id.
void warn_of(const Context& context, const std::vector<archive::DamagedObject>& damaged,
             std::string_view consequence = {});

// The list, with a warning for every snapshot that cannot be read.
base::Result<std::vector<archive::StoredSnapshot>> list_snapshots(const Context& context,
                                                                  const archive::Repository& repository);

}  // namespace kura::app
