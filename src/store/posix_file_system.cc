#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <span>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/parallel.h"
#include "base/time.h"
#include "base/unique_fd.h"
#include "store/file_system.h"

namespace kura::store {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

// Objects never change once written; removing or replacing one needs permission on its folder only.
constexpr mode_t kFileMode = 0400;
constexpr mode_t kFolderMode = 0700;

std::unexpected<Error> system_failure(std::string_view action, const std::string& path, int errno_value) {
  return base::fail(Error::from_errno(fmt::format("cannot {} {}", action, path), errno_value));
}

// Anybody who may write there can give a file any time. Held to the years 1970 to 2116, so that no sum or difference of
// such times overflows.
std::int64_t modified_at(const timespec& time) {
  constexpr std::int64_t kLast = (std::int64_t{1} << 62) / base::kSecond;
  return std::clamp<std::int64_t>(time.tv_sec, 0, kLast) * base::kSecond + time.tv_nsec;
}

FileSystem::Entry entry_of(std::string name, const struct stat& status) {
  const bool is_folder = S_ISDIR(status.st_mode);
  const FileSystem::Type type = S_ISREG(status.st_mode) ? FileSystem::Type::kFile
                                : is_folder             ? FileSystem::Type::kFolder
                                                        : FileSystem::Type::kOther;
  return {.name = std::move(name),
          .type = type,
          .size = static_cast<std::uint64_t>(status.st_size),
          .modified = modified_at(status.st_mtim)};
}

class PosixFile final : public FileSystem::File {
 public:
  PosixFile(base::UniqueFd descriptor, std::string path) : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Status write(base::ByteSpan bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_.get(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return system_failure("write", path_, errno);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
  }

  Status sync() override {
    const int failed = time_is_set_ ? ::fsync(descriptor_.get()) : ::fdatasync(descriptor_.get());
    if (failed != 0) return system_failure("sync", path_, errno);
    return {};
  }

  Status set_modified(std::int64_t time) override {
    const timespec when{.tv_sec = time / base::kSecond, .tv_nsec = time % base::kSecond};
    const timespec times[] = {when, when};
    if (::futimens(descriptor_.get(), times) != 0) return system_failure("set the time of", path_, errno);
    time_is_set_ = true;
    return {};
  }

 private:
  base::UniqueFd descriptor_;
  std::string path_;
  bool time_is_set_ = false;  // and has to be as durable as the bytes
};

struct OpenFile {
  base::UniqueFd descriptor;
  std::uint64_t size;
};

// O_NONBLOCK: a fifo planted under an object's name must not hang its reader.
Result<OpenFile> open_for_reading(const std::string& path) {
  base::UniqueFd descriptor(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat status{};
  const bool is_symlink = descriptor.get() < 0 && errno == ELOOP;
  if (!is_symlink && (descriptor.get() < 0 || ::fstat(descriptor.get(), &status) != 0)) {
    return system_failure("read", path, errno);
  }
  if (is_symlink || !S_ISREG(status.st_mode)) {
    return base::fail(ErrorCode::kDamaged, fmt::format("{} is not a regular file", path));
  }
  return OpenFile{std::move(descriptor), static_cast<std::uint64_t>(status.st_size)};
}

// How many bytes came before the end of the file, at most out.size().
Result<std::size_t> read_some(const OpenFile& file, const std::string& path, std::uint64_t offset,
                              base::MutableByteSpan out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t count =
        ::pread(file.descriptor.get(), out.data() + done, out.size() - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_failure("read", path, errno);
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  return done;
}

class PosixFileSystem final : public FileSystem {
 public:
  Result<std::unique_ptr<File>> create(const std::string& path) override {
    base::UniqueFd descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode));
    if (descriptor.get() < 0) return system_failure("create", path, errno);
    return std::make_unique<PosixFile>(std::move(descriptor), path);
  }

  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return system_failure("rename a finished file to", to, errno);
    return {};
  }

  Status remove(const std::string& path) override {
    if (::unlink(path.c_str()) != 0) return system_failure("remove", path, errno);
    return {};
  }

  Status make_folder(const std::string& path) override {
    if (::mkdir(path.c_str(), kFolderMode) == 0) return {};
    const int failure = errno;
    struct stat status{};
    if (::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) return {};
    return system_failure("make the folder", path, failure);
  }

  Status sync_folder(const std::string& path) override {
    const base::UniqueFd descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (descriptor.get() < 0) return system_failure("sync the folder", path, errno);
    // Some network file systems have no fsync for folders: their names are as durable as they will ever be.
    if (::fsync(descriptor.get()) != 0 && errno != EINVAL && errno != ENOTSUP) {
      return system_failure("sync the folder", path, errno);
    }
    return {};
  }

  Result<Entry> stat(const std::string& path) override {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) return system_failure("look at", path, errno);
    return entry_of({}, status);
  }

  Result<std::vector<Entry>> list(const std::string& path) override {
    base::UniqueFd descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (descriptor.get() < 0) return system_failure("list the folder", path, errno);
    const int fd = descriptor.get();
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::fdopendir(fd), &::closedir);
    if (!folder) return system_failure("list the folder", path, errno);
    descriptor.release();  // the DIR owns it now

    std::vector<Entry> entries = KURA_TRY(names_in(folder.get(), fd, path));
    KURA_TRY(look_at_each(fd, path, entries));
    std::erase_if(entries, [](const Entry& entry) { return entry.name.empty(); });
    return entries;
  }

  Status read_at(const std::string& path, std::uint64_t offset, base::MutableByteSpan out) override {
    const OpenFile file = KURA_TRY(open_for_reading(path));
    if (offset > file.size || out.size() > file.size - offset) return too_short(path, offset, out.size(), file.size);
    const std::size_t count = KURA_TRY(read_some(file, path, offset, out));
    if (count != out.size()) return too_short(path, offset, out.size(), offset + count);
    return {};
  }

  Result<base::Bytes> read_all(const std::string& path, std::uint64_t limit) override {
    const OpenFile file = KURA_TRY(open_for_reading(path));
    if (file.size > limit) {
      return base::fail(ErrorCode::kDamaged,
                        fmt::format("{} has {} bytes, more than the {} it can have", path, file.size, limit));
    }
    base::Bytes bytes(static_cast<std::size_t>(file.size));
    bytes.resize(KURA_TRY(read_some(file, path, 0, bytes)));
    return bytes;
  }

 private:
  static Result<std::vector<Entry>> names_in(DIR* folder, int fd, const std::string& path) {
    std::vector<Entry> entries;
    // A name takes some 64 bytes of a folder, on the usual file systems: a guess that saves growing step by step.
    struct stat status{};
    if (::fstat(fd, &status) == 0) {
      entries.reserve(static_cast<std::size_t>(std::clamp<off_t>(status.st_size / 64, 0, 1 << 16)));
    }
    for (;;) {
      errno = 0;
      const dirent* found = ::readdir(folder);
      if (found == nullptr && errno != 0) return system_failure("list the folder", path, errno);
      if (found == nullptr) return entries;
      const std::string_view name = found->d_name;
      if (name != "." && name != "..") entries.push_back({.name = std::string(name)});
    }
  }

  // Fills in what is at the names in the folder `fd`; a name that is gone meanwhile becomes empty. Looking is most of
  // what a listing costs, and where a disk or a server has to be asked, waiting is all of it: so not one by one.
  static Status look_at_each(int fd, const std::string& path, std::vector<Entry>& entries) {
    constexpr std::size_t kAtOnce = 256;  // a turn; small folders stay on this thread
    constexpr unsigned kThreads = 4;
    return base::each_on_threads((entries.size() + kAtOnce - 1) / kAtOnce, kThreads, [&](std::size_t turn) -> Status {
      const std::size_t begin = turn * kAtOnce;
      for (Entry& entry : std::span(entries).subspan(begin, std::min(kAtOnce, entries.size() - begin))) {
        struct stat status{};
        if (::fstatat(fd, entry.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) {
          entry = entry_of(std::move(entry.name), status);
        } else if (errno == ENOENT) {
          entry.name.clear();
        } else {
          return system_failure("look at", fmt::format("{}/{}", path, entry.name), errno);
        }
      }
      return {};
    });
  }

  static std::unexpected<Error> too_short(const std::string& path, std::uint64_t offset, std::size_t wanted,
                                          std::uint64_t size) {
    return base::fail(ErrorCode::kDamaged,
                      fmt::format("{} ends at byte {}: {} bytes were wanted from {}", path, size, wanted, offset));
  }
};

}  // namespace

FileSystem& posix_file_system() {
  static PosixFileSystem file_system;
  return file_system;
}

}  // namespace kura::store
