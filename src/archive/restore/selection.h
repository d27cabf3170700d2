// Which entries of a snapshot are restored.
#pragma once

#include <string>

#include "archive/format/entry.h"
#include "archive/restore/restore.h"

namespace kura::archive {

class Selection {
 public:
  explicit Selection(const RestoreOptions& options) : options_(options) {}

  // With all that is below it.
  bool excludes(const std::string& path, bool is_folder) const {
    return options_.excludes.matches(path, is_folder) || (options_.wanted && !options_.wanted(path, is_folder));
  }
  bool includes(const std::string& path, bool is_folder) const {
    return options_.includes.empty() || options_.includes.covers(path, is_folder);
  }

 private:
  const RestoreOptions& options_;
};

// The size of the path of the folder that an entry lies in; 0 for those of "/".
inline std::size_t parent_size(const std::string& path, const Entry& entry) {
  return path.size() - entry.name.size() - 1;
}

}  // namespace kura::archive
