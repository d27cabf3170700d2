#include "guard/watch/share.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include <cerrno>
#include <filesystem>

#include <fmt/format.h>

#include "base/time.h"

namespace kura::guard {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

bool is_mount(const std::string& folder) {
  struct statx facts{};
  return ::statx(AT_FDCWD, folder.c_str(), 0, 0, &facts) == 0 && (facts.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

Result<std::string> without_links(const std::string& folder) {
  std::error_code code;
  const auto path = std::filesystem::canonical(folder, code);
  if (code) return base::fail(Error::from_errno("cannot watch " + folder, code.value()));
  if (!std::filesystem::is_directory(path, code)) {
    return base::fail(ErrorCode::kUsage, folder + " is no folder", "name the folder that is shared");
  }
  if (path == "/") return base::fail(ErrorCode::kUsage, "the whole system cannot be watched", "name a share's folder");
  return path.string();
}

Error mount_error(const std::string& folder, int number) {
  return Error::from_errno("cannot watch the mount of " + folder, number)
      .with_hint("the guard needs root or CAP_SYS_ADMIN, in the mount namespace of the file server");
}

}  // namespace

Result<Share> Share::open(const std::string& folder) {
  std::string path = KURA_TRY(without_links(folder));
  const bool own = is_mount(path);
  if (!own && ::mount(path.c_str(), path.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    return base::fail(mount_error(path, errno));
  }
  const auto flags = static_cast<unsigned>(OPEN_TREE_CLONE) | static_cast<unsigned>(OPEN_TREE_CLOEXEC);
  const base::UniqueFd tree(static_cast<int>(::syscall(SYS_open_tree, AT_FDCWD, path.c_str(), flags)));
  if (!tree) return base::fail(mount_error(path, errno));
  // Handles are not opened by a descriptor that is only a place.
  base::UniqueFd root(::openat(tree.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) return base::fail(mount_error(path, errno));
  return Share(std::move(path), std::move(root), !own);
}

std::string Share::unseen() const { return fmt::format("/proc/self/fd/{}", root_.get()); }

Result<base::UniqueFd> Share::open_file(const std::string& path, int flags) const {
  open_how how{};
  const int more = (flags & O_PATH) != 0 ? 0 : O_NONBLOCK | O_NOCTTY;  // a place takes no others
  how.flags = static_cast<std::uint64_t>(O_CLOEXEC | O_NOFOLLOW | more | flags);
  if ((flags & O_CREAT) != 0) how.mode = 0600;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS;
  const char* const name = path.empty() ? "." : path.c_str();
  base::UniqueFd fd(static_cast<int>(::syscall(SYS_openat2, root_.get(), name, &how, sizeof how)));
  if (!fd) return base::fail(Error::from_errno(fmt::format("cannot open {}/{}", folder_, path), errno));
  return fd;
}

std::optional<struct stat> Share::look_at(const std::string& path) const {
  struct stat facts{};
  if (::fstatat(root_.get(), path.c_str(), &facts, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0) return std::nullopt;
  return facts;
}

std::optional<std::string> Share::below(std::string_view absolute) const {
  if (!absolute.starts_with(folder_)) return std::nullopt;
  absolute.remove_prefix(folder_.size());
  if (absolute.empty()) return std::string();
  if (absolute.front() != '/') return std::nullopt;
  return std::string(absolute.substr(1));
}

std::int64_t modified_ns(const struct stat& facts) {
  return facts.st_mtim.tv_sec * base::kSecond + facts.st_mtim.tv_nsec;
}

}  // namespace kura::guard
