// Looking for a name or a path in one snapshot after another.
//
//   Finder finder(KURA_TRY(base::Glob::create("*.odt")));
//   for (each snapshot) KURA_TRY(finder.search(reader, root, visit, damaged));
#pragma once

#include <functional>
#include <string>
#include <unordered_set>

#include "archive/repo/tree.h"
#include "base/glob.h"

namespace kura::archive {

// Remembers the folders that hold nothing that is looked for: where one has not changed between snapshots, it is not
// read again. About 50 bytes a folder. Not shared between threads.
class Finder {
 public:
  explicit Finder(base::Glob pattern) : pattern_(std::move(pattern)) {}

  // `visit` for every entry that matches by its name or its absolute path; an error of it ends the search. `damaged`
  // for folders that cannot be read; the search goes on.
  base::Status search(PackReader& reader, const ContentRef& root,
                      const std::function<base::Status(const std::string& path, const Entry&)>& visit,
                      const std::function<void(const std::string& path, const base::Error&)>& damaged);

 private:
  const base::Glob pattern_;
  std::unordered_set<base::Digest, base::DigestHash> without_;  // of path and content of folders
};

}  // namespace kura::archive
