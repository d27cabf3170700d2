// The folder that is watched, reached without being seen: through a mount of its own that no mark lies on, so that what
// the guard itself reads raises no questions to the guard.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace kura::guard {

// Immutable: threads may share it. All paths are below the folder, without a '/' in front.
class Share {
 public:
  // `folder` becomes a mount of its own when it is none (a bind mount onto itself), which stays when the guard ends:
  // programs that work in it go on, and a guard that comes back sees them.
  static base::Result<Share> open(const std::string& folder);

  const std::string& folder() const { return folder_; }
  bool mounted_here() const { return mounted_here_; }
  int root() const { return root_.get(); }
  // A path by which this process reaches the folder unseen.
  std::string unseen() const;

  // Links are not followed, and nothing outside of the folder is reached.
  base::Result<base::UniqueFd> open_file(const std::string& path, int flags = 0) const;
  std::optional<struct stat> look_at(const std::string& path) const;
  bool exists(const std::string& path) const { return look_at(path).has_value(); }
  // Of an absolute path as programs see it; nothing when it is not in the folder.
  std::optional<std::string> below(std::string_view absolute) const;

 private:
  Share(std::string folder, base::UniqueFd root, bool mounted_here)
      : folder_(std::move(folder)), root_(std::move(root)), mounted_here_(mounted_here) {}
  std::string folder_;  // absolute, without links
  base::UniqueFd root_;
  bool mounted_here_;
};

std::int64_t modified_ns(const struct stat& facts);

}  // namespace kura::guard
