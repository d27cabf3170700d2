// The path of a socket in the file system, short enough for the kernel: sockaddr_un has room for 107 bytes, paths may
// have 4095.
#pragma once

#include <fcntl.h>
#include <sys/un.h>

#include <string>

#include "base/unique_fd.h"

namespace kura::base {

// Where a path is too long, it goes by the folder's descriptor (proc(5)): valid as long as this object, in this
// process.
class SocketPath {
 public:
  explicit SocketPath(const std::string& path) : text_(path) {
    if (path.size() < sizeof sockaddr_un{}.sun_path) return;
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return;
    folder_.reset(::open(path.substr(0, slash + 1).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (folder_) text_ = "/proc/self/fd/" + std::to_string(folder_.get()) + path.substr(slash);
  }
  // May still be too long.
  const std::string& text() const { return text_; }

 private:
  UniqueFd folder_;
  std::string text_;
};

}  // namespace kura::base
