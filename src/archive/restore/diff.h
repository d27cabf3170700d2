// What differs between two snapshots, found by walking both trees side by side; equal folders are not entered.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "archive/repo/tree.h"

namespace kura::archive {

enum class Change { kAdded, kRemoved, kContent, kMetadata, kType };
std::string_view name_of(Change change);  // "added", "removed", "modified", "metadata", "type"

struct Difference {
  Change change;
  std::string path;
  std::optional<Entry> before, after;
};

// `a` and `b` are folders' contents read through their own readers (indexes differ a snapshot); `path` is theirs. In
// the order of names, a folder before what is in it; everything in a folder that was added or removed is told too. What
// is changed in a folder is no change of the folder itself, but its own time is. kDamaged names the folder.
base::Status diff_trees(PackReader& reader_a, const ContentRef& a, PackReader& reader_b, const ContentRef& b,
                        const std::string& path, const std::function<base::Status(const Difference&)>& visit);

}  // namespace kura::archive
