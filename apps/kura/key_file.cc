#include "key_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace kura::app {

namespace {

base::Status write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno != EINTR) return base::fail(base::Error::from_errno("cannot write " + path, errno));
    if (count > 0) text.remove_prefix(static_cast<std::size_t>(count));
  }
  if (fsync(fd) != 0) return base::fail(base::Error::from_errno("cannot sync " + path, errno));
  return {};
}

// A file's name is durable only when its folder is.
base::Status sync_parent(const std::string& path) {
  auto parent = std::filesystem::path(path).parent_path();
  if (parent.empty()) parent = ".";
  const base::UniqueFd fd(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || fsync(fd.get()) != 0) return base::fail(base::Error::from_errno("cannot sync " + parent.string(), errno));
  return {};
}

}  // namespace

base::Result<KeyFile> KeyFile::create(const std::string& path) {
  base::UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return base::fail(base::Error::from_errno("cannot make the key file " + path, errno));
  return KeyFile(path, std::move(fd));
}

base::Status KeyFile::write(std::string_view text) {
  KURA_TRY(write_all(fd_.get(), text, path_));
  KURA_TRY(sync_parent(path_));
  fd_.reset();  // from here on the file stays
  return {};
}

KeyFile::~KeyFile() {
  if (fd_) ::unlink(path_.c_str());
}

}  // namespace kura::app
