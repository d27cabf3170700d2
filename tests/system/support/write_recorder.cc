// Writes down, in order and with their data, the calls by which a program changes files below a folder, and those by
// which it asks for them to be durable. Of that, tests/system/power_loss.py makes disks that a power loss could leave.
//
//   LD_PRELOAD=.../kura_write_recorder.so KURA_RECORD_BELOW=/disk KURA_RECORD_TO=/log kura-vault ...
//
// A record of the log: u8 call, u64 inode, u64 number, u32 bytes of a path, u32 bytes of data, the path (from below the
// folder), the data; little endian. A call that changes files there in a way that is not known here ends the program.
// What goes by no call of libc (io_uring, memory that is a file's) shows when the test plays the whole log back and
// compares it with the real folder.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace {

enum class Call : std::uint8_t {
  kCreate = 1,      // inode, path
  kWrite = 2,       // inode, number: offset, data
  kTruncate = 3,    // inode, number: size
  kRename = 4,      // path, data: the new path
  kRemove = 5,      // path
  kMakeFolder = 6,  // path
  kSyncBegins = 7,  // number: of this sync; inode of a file, else the path of a folder; neither: of all that there is
  kSyncEnds = 8,    // number
};

[[noreturn]] void die(std::string_view what, std::string_view path) {
  for (const std::string_view part :
       {std::string_view("write recorder: "), what, std::string_view(" of "), path, std::string_view("\n")}) {
    ::syscall(SYS_write, STDERR_FILENO, part.data(), part.size());
  }
  std::abort();
}

// What is recorded, from where to where. Made at the first call, which comes before main().
struct Recorder {
  std::string below;
  int log = -1;
  std::mutex mutex;  // held from a change until it is written down, so that the log has them in their order
  std::atomic<std::uint32_t> syncs = 0;

  Recorder() {
    const char* const folder = std::getenv("KURA_RECORD_BELOW");
    const char* const path = std::getenv("KURA_RECORD_TO");
    if (folder == nullptr || path == nullptr) return;
    const auto opened =
        static_cast<int>(::syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    log = ::fcntl(opened, F_DUPFD_CLOEXEC, 500);  // away from the numbers that the program expects
    if (log < 0) die("cannot open the log", path);
    ::syscall(SYS_close, opened);
    below = folder;
  }
};

Recorder& recorder() {
  static Recorder recorder;
  return recorder;
}

// "/a/./b/" is "/a/b".
std::string without_dots(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view part = path.substr(0, path.find('/'));
    path.remove_prefix(part.size());
    if (part == "..") die("a path with '..'", part);
    if (!part.empty() && part != ".") out.append("/").append(part);
  }
  return out;
}

std::string link_target(const std::string& link) {
  char target[PATH_MAX];
  const ssize_t size = ::readlink(link.c_str(), target, sizeof target);
  return size < 0 ? std::string() : std::string(target, static_cast<std::size_t>(size));
}

// From below the recorded folder; nothing for what lies elsewhere.
std::optional<std::string> relative(std::string path) {
  const std::string& below = recorder().below;
  if (below.empty() || !path.starts_with(below)) return std::nullopt;
  path = without_dots(path);
  if (path == below) return std::string();
  if (path.size() <= below.size() || path[below.size()] != '/') return std::nullopt;
  return path.substr(below.size() + 1);
}
std::optional<std::string> place_of(int folder, const char* path) {
  if (*path == '/') return relative(path);
  const std::string at = folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/" + std::to_string(folder);
  return relative(link_target(at) + "/" + path);
}
std::optional<std::string> place_of(int fd) { return relative(link_target("/proc/self/fd/" + std::to_string(fd))); }

void write_down(Call call, std::uint64_t inode, std::uint64_t number, std::string_view path, std::string_view data) {
  std::string record(1, static_cast<char>(call));
  const auto add = [&record](const auto& value) { record.append(reinterpret_cast<const char*>(&value), sizeof value); };
  add(inode);
  add(number);
  add(static_cast<std::uint32_t>(path.size()));
  add(static_cast<std::uint32_t>(data.size()));
  record.append(path).append(data);
  if (::syscall(SYS_write, recorder().log, record.data(), record.size()) != static_cast<ssize_t>(record.size())) {
    die("cannot write the log", path);
  }
}

struct stat status_of(int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) die("cannot look at a file", std::to_string(fd));
  return status;
}

// Whether writes to it are recorded: a file below the folder.
bool is_recorded(int fd) {
  if (recorder().log < 0) return false;
  struct stat status{};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && place_of(fd);
}

int open_at(int folder, const char* path, int flags, mode_t mode) {
  const bool changes = (flags & (O_CREAT | O_TRUNC)) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  const auto place = changes ? place_of(folder, path) : std::nullopt;
  if (!place) return static_cast<int>(::syscall(SYS_openat, folder, path, flags, mode));
  if ((flags & O_TMPFILE) == O_TMPFILE) die("O_TMPFILE", path);
  const std::scoped_lock lock(recorder().mutex);
  struct stat status{};
  const bool is_new = ::fstatat(folder, path, &status, AT_SYMLINK_NOFOLLOW) != 0;
  const int fd = static_cast<int>(::syscall(SYS_openat, folder, path, flags, mode));
  if (fd < 0) return fd;
  const int error = errno;
  if (is_new) {
    write_down(Call::kCreate, status_of(fd).st_ino, 0, *place, {});
  } else if ((flags & O_TRUNC) != 0) {
    write_down(Call::kTruncate, status_of(fd).st_ino, 0, {}, {});
  }
  errno = error;
  return fd;
}

// `parts` as one call wrote them, `written` bytes in all.
void write_down_write(int fd, std::uint64_t offset, const iovec* parts, int count, ssize_t written) {
  std::string data;
  for (int i = 0; i < count; ++i) data.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
  data.resize(static_cast<std::size_t>(written));
  write_down(Call::kWrite, status_of(fd).st_ino, offset, {}, data);
}

ssize_t write_parts(int fd, const iovec* parts, int count, std::optional<off_t> at) {
  const auto call = [&] {
    return at ? ::syscall(SYS_pwritev, fd, parts, count, *at, 0) : ::syscall(SYS_writev, fd, parts, count);
  };
  if (!is_recorded(fd)) return call();
  const std::scoped_lock lock(recorder().mutex);
  const ssize_t written = call();
  if (written <= 0) return written;
  // Where the call ended: right for O_APPEND too.
  const off_t end = at ? *at + written : ::lseek(fd, 0, SEEK_CUR);
  write_down_write(fd, static_cast<std::uint64_t>(end - written), parts, count, written);
  return written;
}

int truncate_to(int fd, off_t size) {
  if (!is_recorded(fd)) return static_cast<int>(::syscall(SYS_ftruncate, fd, size));
  const std::scoped_lock lock(recorder().mutex);
  const int failed = static_cast<int>(::syscall(SYS_ftruncate, fd, size));
  if (failed == 0) write_down(Call::kTruncate, status_of(fd).st_ino, static_cast<std::uint64_t>(size), {}, {});
  return failed;
}

// Only what was there when it began is durable when it ends.
template <typename Function>
int record_sync(std::uint64_t inode, std::string_view path, const Function& call) {
  const std::uint64_t number = static_cast<std::uint64_t>(::getpid()) << 32 | ++recorder().syncs;
  {
    const std::scoped_lock lock(recorder().mutex);
    write_down(Call::kSyncBegins, inode, number, path, {});
  }
  const int failed = static_cast<int>(call());
  if (failed != 0) return failed;
  const std::scoped_lock lock(recorder().mutex);
  write_down(Call::kSyncEnds, 0, number, {}, {});
  return 0;
}

int sync_one(int fd, long call_number) {
  const auto call = [&] { return ::syscall(call_number, fd); };
  const auto place = recorder().log < 0 ? std::nullopt : place_of(fd);
  if (!place) return static_cast<int>(call());
  const struct stat status = status_of(fd);
  if (S_ISDIR(status.st_mode)) return record_sync(0, "/" + *place, call);
  return record_sync(status.st_ino, {}, call);
}

// A call that changes names: one, or a second one too.
template <typename Function>
int change_names(Call what, const std::optional<std::string>& place, const std::string& second, const Function& call) {
  if (!place) return static_cast<int>(call());
  const std::scoped_lock lock(recorder().mutex);
  const int failed = static_cast<int>(call());
  if (failed == 0) write_down(what, 0, 0, *place, second);
  return failed;
}

int rename_at(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) {
  const auto old_place = place_of(from_folder, from), new_place = place_of(to_folder, to);
  if (old_place.has_value() != new_place.has_value()) die("a rename into or out of the folder", from);
  if (new_place && (flags & ~1U) != 0) die("a rename that does more", from);  // 1: RENAME_NOREPLACE
  struct stat status{};
  if (new_place && ::fstatat(from_folder, from, &status, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISREG(status.st_mode)) {
    die("a rename that is not of a file", from);
  }
  return change_names(Call::kRename, old_place, new_place.value_or(""),
                      [&] { return ::syscall(SYS_renameat2, from_folder, from, to_folder, to, flags); });
}

void must_be_elsewhere(std::string_view what, int folder, const char* path) {
  if (recorder().log >= 0 && place_of(folder, path)) die(what, path);
}
void must_be_elsewhere(std::string_view what, int fd) {
  if (is_recorded(fd)) die(what, std::to_string(fd));
}

mode_t mode_in(int flags, std::va_list arguments) {
  return (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(arguments, mode_t) : 0;
}

}  // namespace

// What follows stands in for the functions of libc with these names.
// NOLINTBEGIN(readability-identifier-naming,cert-dcl50-cpp,readability-inconsistent-declaration-parameter-name)
extern "C" {

#define KURA_OPEN(name)                            \
  int name(const char* path, int flags, ...) {     \
    std::va_list arguments;                        \
    va_start(arguments, flags);                    \
    const mode_t mode = mode_in(flags, arguments); \
    va_end(arguments);                             \
    return open_at(AT_FDCWD, path, flags, mode);   \
  }
#define KURA_OPENAT(name)                                  \
  int name(int folder, const char* path, int flags, ...) { \
    std::va_list arguments;                                \
    va_start(arguments, flags);                            \
    const mode_t mode = mode_in(flags, arguments);         \
    va_end(arguments);                                     \
    return open_at(folder, path, flags, mode);             \
  }
KURA_OPEN(open)
KURA_OPEN(open64)
KURA_OPENAT(openat)
KURA_OPENAT(openat64)
int __open_2(const char* path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }
int __open64_2(const char* path, int flags) { return open_at(AT_FDCWD, path, flags, 0); }
int __openat_2(int folder, const char* path, int flags) { return open_at(folder, path, flags, 0); }
int __openat64_2(int folder, const char* path, int flags) { return open_at(folder, path, flags, 0); }
int creat(const char* path, mode_t mode) { return open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode); }
int creat64(const char* path, mode_t mode) { return open_at(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, mode); }

ssize_t write(int fd, const void* data, size_t size) {
  const iovec part{.iov_base = const_cast<void*>(data), .iov_len = size};
  return write_parts(fd, &part, 1, std::nullopt);
}
ssize_t writev(int fd, const iovec* parts, int count) { return write_parts(fd, parts, count, std::nullopt); }
ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) {
  const iovec part{.iov_base = const_cast<void*>(data), .iov_len = size};
  return write_parts(fd, &part, 1, offset);
}
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) { return pwrite(fd, data, size, offset); }
ssize_t pwritev(int fd, const iovec* parts, int count, off_t offset) { return write_parts(fd, parts, count, offset); }
ssize_t pwritev64(int fd, const iovec* parts, int count, off64_t offset) {
  return write_parts(fd, parts, count, offset);
}
int ftruncate(int fd, off_t size) noexcept { return truncate_to(fd, size); }
int ftruncate64(int fd, off64_t size) noexcept { return truncate_to(fd, size); }

int fsync(int fd) { return sync_one(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_one(fd, SYS_fdatasync); }
int syncfs(int fd) noexcept {
  const auto call = [&] { return ::syscall(SYS_syncfs, fd); };
  return recorder().log < 0 || !place_of(fd) ? static_cast<int>(call()) : record_sync(0, {}, call);
}

int rename(const char* from, const char* to) noexcept { return rename_at(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  return rename_at(from_folder, from, to_folder, to, 0);
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
  return rename_at(from_folder, from, to_folder, to, flags);
}
int unlinkat(int folder, const char* path, int flags) noexcept {
  return change_names(Call::kRemove, place_of(folder, path), {},
                      [&] { return ::syscall(SYS_unlinkat, folder, path, flags); });
}
int unlink(const char* path) noexcept { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char* path) noexcept { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char* path) noexcept { return unlink(path) == 0 || (errno == EISDIR && rmdir(path) == 0) ? 0 : -1; }
int mkdirat(int folder, const char* path, mode_t mode) noexcept {
  return change_names(Call::kMakeFolder, place_of(folder, path), {},
                      [&] { return ::syscall(SYS_mkdirat, folder, path, mode); });
}
int mkdir(const char* path, mode_t mode) noexcept { return mkdirat(AT_FDCWD, path, mode); }

// Not known.
int linkat(int from_folder, const char* from, int to_folder, const char* to, int flags) noexcept {
  must_be_elsewhere("a link", to_folder, to);
  return static_cast<int>(::syscall(SYS_linkat, from_folder, from, to_folder, to, flags));
}
int link(const char* from, const char* to) noexcept { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }
int symlinkat(const char* target, int folder, const char* path) noexcept {
  must_be_elsewhere("a symlink", folder, path);
  return static_cast<int>(::syscall(SYS_symlinkat, target, folder, path));
}
int symlink(const char* target, const char* path) noexcept { return symlinkat(target, AT_FDCWD, path); }
int truncate(const char* path, off_t size) noexcept {
  must_be_elsewhere("truncate", AT_FDCWD, path);
  return static_cast<int>(::syscall(SYS_truncate, path, size));
}
int fallocate(int fd, int mode, off_t offset, off_t size) {
  must_be_elsewhere("fallocate", fd);
  return static_cast<int>(::syscall(SYS_fallocate, fd, mode, offset, size));
}
int posix_fallocate(int fd, off_t offset, off_t size) { return fallocate(fd, 0, offset, size) == 0 ? 0 : errno; }
ssize_t copy_file_range(int from, off64_t* from_offset, int to, off64_t* to_offset, size_t size, unsigned flags) {
  must_be_elsewhere("copy_file_range", to);
  return ::syscall(SYS_copy_file_range, from, from_offset, to, to_offset, size, flags);
}
ssize_t sendfile(int to, int from, off_t* offset, size_t size) noexcept {
  must_be_elsewhere("sendfile", to);
  return ::syscall(SYS_sendfile, to, from, offset, size);
}
void* mmap(void* address, size_t size, int protection, int flags, int fd, off_t offset) noexcept {
  if (fd >= 0 && (flags & MAP_SHARED) != 0 && (protection & PROT_WRITE) != 0) must_be_elsewhere("a writable map", fd);
  // NOLINTNEXTLINE(performance-no-int-to-ptr): that is what the call gives
  return reinterpret_cast<void*>(::syscall(SYS_mmap, address, size, protection, flags, fd, offset));
}

}  // extern "C"
// NOLINTEND(readability-identifier-naming,cert-dcl50-cpp,readability-inconsistent-declaration-parameter-name)
