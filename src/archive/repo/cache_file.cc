#include "archive/repo/cache_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <filesystem>
#include <system_error>

#include "base/unique_fd.h"
#include "store/atomic_file.h"

namespace kura::archive {
namespace {

constexpr std::time_t kTemporaryLifetime = 24L * 3600;  // seconds

bool write_all(int fd, base::ByteSpan bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return true;
}

bool is_abandoned(const std::string& temporary) {
  struct stat status{};
  return ::lstat(temporary.c_str(), &status) == 0 && status.st_mtime < std::time(nullptr) - kTemporaryLifetime;
}

}  // namespace

bool write_cache_file(const std::string& path, std::span<const base::ByteSpan> parts) {
  const std::string temporary = path.substr(0, path.rfind('/') + 1) + store::temporary_name();
  base::UniqueFd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return false;
  bool written = true;
  for (const base::ByteSpan part : parts) written = written && write_all(file.get(), part);
  written = ::close(file.release()) == 0 && written;
  if (written && ::rename(temporary.c_str(), path.c_str()) == 0) return true;
  ::unlink(temporary.c_str());
  return false;
}

void tidy_cache_folder(const std::string& folder, const std::function<bool(std::string_view name)>& keep) {
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    const std::string path = folder + "/" + name;
    const bool goes = store::is_temporary_name(name) ? is_abandoned(path) : !keep(name);
    if (goes) ::unlink(path.c_str());
  }
}

}  // namespace kura::archive
