// Which parts of the file system a backup takes: the given paths as one tree that begins at "/".
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/error.h"

namespace kura::archive {

struct PlanNode {
  bool whole = false;  // everything below belongs to the backup, and `members` is empty
  std::map<std::string, PlanNode, std::less<>> members;  // else: those on the way to the given paths
};

struct WalkPlan {
  PlanNode root;                   // "/"
  std::vector<std::string> paths;  // absolute, sorted, none inside another
};

// Makes the paths absolute. Links on the way are resolved; a last part that is a link is not followed, but with a slash
// behind it. kUsage when one does not exist, or none is given.
base::Result<WalkPlan> plan_walk(const std::vector<std::string>& paths);

}  // namespace kura::archive
