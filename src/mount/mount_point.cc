#include "mount/mount_point.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include <fmt/format.h>

namespace kura::mount {
namespace {

using base::Error;
using base::ErrorCode;
using base::Status;

constexpr const char* kDevice = "/dev/fuse";
constexpr const char* kFuseConfig = "/etc/fuse.conf";

Status check_fuse() {
  if (::access(kDevice, F_OK) != 0) {
    return base::fail(
        ErrorCode::kUnsupported, fmt::format("this machine has no FUSE: {} is not there", kDevice),
        "load it with `modprobe fuse`, or give the device to the container; `kura restore` works without");
  }
  if (::access(kDevice, R_OK | W_OK) != 0) {
    return base::fail(Error::from_errno(fmt::format("cannot use {}", kDevice), errno));
  }
  return {};
}

Status check_allow_other() {
  if (::geteuid() == 0) return {};
  std::ifstream config(kFuseConfig);
  for (std::string line; std::getline(config, line);) {
    if (line.starts_with("user_allow_other")) return {};
  }
  return base::fail(ErrorCode::kDenied, "only root may let other users into a mount here",
                    fmt::format("write the line user_allow_other into {}, or leave out --allow-other", kFuseConfig));
}

}  // namespace

Status check_mount_point(const std::string& folder, bool allow_other) {
  KURA_TRY(check_fuse());
  if (allow_other) KURA_TRY(check_allow_other());
  struct stat status{};
  if (::stat(folder.c_str(), &status) != 0) {
    const int failure = errno;
    Error error = Error::from_errno(fmt::format("cannot mount at {}", folder), failure);
    if (failure == ENOENT) return base::fail(std::move(error).with_hint("make the folder first: mkdir " + folder));
    if (failure == ENOTCONN) {
      return base::fail(ErrorCode::kExists, fmt::format("at {} is a mount whose program has ended", folder),
                        fmt::format("clear it with: fusermount3 -u {}", folder));
    }
    return base::fail(std::move(error));
  }
  if (!S_ISDIR(status.st_mode)) {
    return base::fail(ErrorCode::kUsage, fmt::format("{} is not a folder", folder), "name an empty folder to mount at");
  }
  std::error_code failure;
  const std::filesystem::directory_iterator first(folder, failure);
  if (failure) return base::fail(Error::from_errno(fmt::format("cannot read {}", folder), failure.value()));
  if (first != std::filesystem::directory_iterator()) {
    return base::fail(ErrorCode::kUsage, fmt::format("{} is not empty", folder),
                      "name an empty folder to mount at, so that nothing is hidden by the mount");
  }
  return {};
}

}  // namespace kura::mount
