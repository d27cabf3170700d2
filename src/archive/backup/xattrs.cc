#include "archive/backup/xattrs.h"

#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

namespace kura::archive {
namespace {

// The two system calls for one thing, however it is named.
struct ByDescriptor {
  int fd;
  ssize_t list(char* out, std::size_t size) const { return ::flistxattr(fd, out, size); }
  ssize_t get(const char* name, char* out, std::size_t size) const { return ::fgetxattr(fd, name, out, size); }
};
struct ByPath {
  std::string path;
  ssize_t list(char* out, std::size_t size) const { return ::llistxattr(path.c_str(), out, size); }
  ssize_t get(const char* name, char* out, std::size_t size) const {
    return ::lgetxattr(path.c_str(), name, out, size);
  }
};

bool is_kept(std::string_view name) {
  return name.starts_with("user.") || name.starts_with("security.") || name.starts_with("trusted.") ||
         name == "system.posix_acl_access" || name == "system.posix_acl_default";
}

// Calls `read(out, size)`, first for the size alone; again when it grew in between. -1 and errno on failure.
template <typename Read>
ssize_t read_whole(std::string& out, Read read) {
  while (true) {
    const ssize_t size = read(nullptr, std::size_t{0});
    if (size <= 0) return size;
    out.resize(static_cast<std::size_t>(size));
    const ssize_t got = read(out.data(), out.size());
    if (got >= 0) {
      out.resize(static_cast<std::size_t>(got));
      return got;
    }
    if (errno != ERANGE) return -1;
  }
}

bool means_none(int reason) { return reason == ENOTSUP || reason == ENOSYS || reason == EPERM || reason == EACCES; }

template <typename Source>
base::Result<Xattrs> read_from(const Source& source) {
  Xattrs xattrs;
  std::string names;
  const ssize_t size = read_whole(names, [&](char* out, std::size_t room) { return source.list(out, room); });
  if (size < 0 && means_none(errno)) return xattrs;
  if (size < 0) return base::fail(base::Error::from_errno("cannot list extended attributes", errno));
  for (std::size_t at = 0; at < static_cast<std::size_t>(size); at += std::string_view(&names[at]).size() + 1) {
    const char* name = &names[at];
    if (!is_kept(name)) continue;
    std::string value;
    const ssize_t got = read_whole(value, [&](char* out, std::size_t room) { return source.get(name, out, room); });
    if (got >= 0) {
      if (got == 0) value.clear();
      xattrs.emplace_back(name, std::move(value));
    } else if (errno != ENODATA && !means_none(errno)) {
      return base::fail(base::Error::from_errno("cannot read the extended attribute " + std::string(name), errno));
    }
  }
  std::ranges::sort(xattrs);
  return xattrs;
}

}  // namespace

base::Result<Xattrs> read_xattrs(int fd) { return read_from(ByDescriptor{fd}); }

base::Result<Xattrs> read_xattrs_at(int parent, const char* name) {
  return read_from(ByPath{"/proc/self/fd/" + std::to_string(parent) + "/" + name});
}

base::Result<Xattrs> read_folder_xattrs(int fd) {
  if (::flistxattr(fd, nullptr, 0) >= 0) return read_xattrs(fd);
  // An O_PATH descriptor has no attributes of its own, but "." behind it has.
  return read_from(ByPath{"/proc/self/fd/" + std::to_string(fd) + "/."});
}

}  // namespace kura::archive
