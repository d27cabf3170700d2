#include "archive/repo/machine.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "archive/repo/machine_key_file.h"
#include "store/atomic_file.h"

namespace kura::archive {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;
using base::UniqueFd;

constexpr std::size_t kKeyFileLimit = 4096;
constexpr mode_t kOthers = 077;

std::unexpected<base::Error> from_errno(std::string_view action, const std::string& path) {
  const int errno_value = errno;
  return base::fail(base::Error::from_errno(fmt::format("cannot {} {}", action, path), errno_value));
}

Status sync_folder(const std::string& path) {
  const UniqueFd folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0) return from_errno("sync", path);
  return {};
}

// Makes `path` and the folders above it that are missing, each with mode 0700, durably.
Status make_folders(const std::filesystem::path& path) {
  if (::mkdir(path.c_str(), 0700) == 0) {
    const auto parent = path.parent_path();
    return sync_folder(parent.empty() ? "." : parent.string());
  }
  if (errno == EEXIST) return {};
  if (errno != ENOENT || !path.has_parent_path() || path.parent_path() == path) {
    return from_errno("make the folder", path.string());
  }
  KURA_TRY(make_folders(path.parent_path()));
  return make_folders(path);
}

Status write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return from_errno("write", path);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Status write_private_file(const std::string& path, std::string_view text) {
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return from_errno("create", path);
  KURA_TRY(write_all(file.get(), text, path));
  // open() obeys the umask, which may have taken away the owner's own bits.
  if (::fchmod(file.get(), 0600) != 0) return from_errno("set the mode of", path);
  if (::fsync(file.get()) != 0) return from_errno("sync", path);
  return {};
}

// Renames, but never over what is there.
Status rename_new(const std::string& from, const std::string& to) {
  int result = ::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE);
  if (result != 0 && (errno == EINVAL || errno == ENOSYS)) {  // a file system that cannot say "never over"
    if (::access(to.c_str(), F_OK) == 0) {
      errno = EEXIST;
    } else {
      result = ::rename(from.c_str(), to.c_str());
    }
  }
  if (result != 0) return from_errno("write", to);
  return {};
}

Status rename_over(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return from_errno("write", to);
  return {};
}

Status check_private(int fd, const std::string& path) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return from_errno("read", path);
  if (!S_ISREG(info.st_mode)) {
    return base::fail(ErrorCode::kDamaged, fmt::format("the machine key {} is not a regular file", path));
  }
  if ((info.st_mode & kOthers) == 0) return {};
  return base::fail(ErrorCode::kDenied,
                    fmt::format("the machine key {} is refused: others than its owner may read or write it", path),
                    fmt::format("if nobody has read it, run `chmod 600 {}`", path));
}

Result<std::string> read_private_file(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file) return from_errno("read", path);
  KURA_TRY(check_private(file.get(), path));
  std::string text(kKeyFileLimit, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t count = ::read(file.get(), text.data() + size, text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return from_errno("read", path);
    if (count == 0) break;
    size += static_cast<std::size_t>(count);
  }
  text.resize(size);
  return text;
}

bool is_config_name(std::string_view name) {
  const auto id = store::ObjectId::from_hex(name);
  return id && id->hex() == name;
}

}  // namespace

Result<MachineState> MachineState::open(const std::string& state_folder, const store::ObjectId& config, bool create) {
  const std::string folder = state_folder + "/" + config.hex();
  if (create) KURA_TRY(make_folders(folder));
  struct stat info{};
  if (::stat(folder.c_str(), &info) != 0) return from_errno("open the state folder", folder);
  if (!S_ISDIR(info.st_mode)) {
    return base::fail(ErrorCode::kDamaged, fmt::format("the state folder {} is not a folder", folder));
  }
  return MachineState(folder);
}

Result<std::vector<store::ObjectId>> MachineState::known(const std::string& state_folder) {
  std::error_code error;
  std::vector<store::ObjectId> ids;
  for (std::filesystem::directory_iterator it(state_folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (is_config_name(name)) ids.push_back(*store::ObjectId::from_hex(name));
  }
  if (error && error.value() != ENOENT) {
    return base::fail(base::Error::from_errno("cannot read the state folder " + state_folder, error.value()));
  }
  return ids;
}

Result<MachineKey> MachineState::load_key() const {
  const std::string path = folder_ + "/machine.key";
  std::string text = KURA_TRY(read_private_file(path));
  Result<MachineKey> key = decode_machine_key(text);
  explicit_bzero(text.data(), text.size());
  if (!key) {
    return base::fail(std::move(key)
                          .error()
                          .within("the machine key " + path)
                          .with_hint("restore it from a copy, or give this machine a new key with the recovery key"));
  }
  return key;
}

Status MachineState::save_key(const MachineKey& key) const { return write_key(key, /*over=*/false); }
Status MachineState::replace_key(const MachineKey& key) const { return write_key(key, /*over=*/true); }

Status MachineState::write_key(const MachineKey& key, bool over) const {
  const std::string path = folder_ + "/machine.key";
  const std::string temporary = fmt::format("{}/{}.tmp", folder_, store::temporary_name());
  std::string text = encode_machine_key(key);
  Status status = write_private_file(temporary, text);
  explicit_bzero(text.data(), text.size());
  if (status) status = over ? rename_over(temporary, path) : rename_new(temporary, path);
  if (!status) {
    ::unlink(temporary.c_str());
    return status;
  }
  return sync_folder(folder_);
}

Result<UniqueFd> MachineState::lock_commits() const {
  const std::string path = folder_ + "/commit.lock";
  UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return from_errno("open", path);
  while (::flock(file.get(), LOCK_EX) != 0) {
    if (errno != EINTR) return from_errno("lock", path);
  }
  return file;
}

}  // namespace kura::archive
