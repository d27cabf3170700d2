#include "vault/journal/journal_file.h"

#include <unistd.h>

#include <cerrno>

#include <fmt/format.h>

#include "store/atomic_file.h"

namespace kura::vault {

using base::Error;
using base::Status;

Status write_at(int fd, base::ByteSpan bytes, std::uint64_t offset, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return base::fail(Error::from_errno("cannot write " + path, errno));
    bytes = bytes.subspan(static_cast<std::size_t>(written));
    offset += static_cast<std::uint64_t>(written);
  }
  return {};
}

Status sync_folder_of(const std::string& path) {
  return store::posix_file_system().sync_folder(path.substr(0, path.find_last_of('/') + 1) + ".");
}

Status move_torn_end(int fd, const std::string& path, std::uint64_t offset, base::ByteSpan torn) {
  const std::string aside = fmt::format("{}.torn-{}", path, offset);
  KURA_TRY(store::write_small_file(aside, torn));
  KURA_TRY(sync_folder_of(aside));
  if (::ftruncate(fd, static_cast<off_t>(offset)) == 0 && ::fdatasync(fd) == 0) return {};
  return base::fail(Error::from_errno("cannot cut the torn end of the journal " + path, errno));
}

}  // namespace kura::vault
