#include "archive/restore/file_job.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include <fmt/format.h>

namespace kura::archive {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr std::size_t kOpenFiles = 256;
constexpr mode_t kPrivate = 0600;

// Whether all of `bytes` were written; errno says why not.
bool write_all(int fd, std::uint64_t offset, base::ByteSpan bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return true;
}

// Space that was only reserved need not be read.
bool has_data(int fd, std::uint64_t offset, std::uint64_t size) {
  const off_t found = ::lseek(fd, static_cast<off_t>(offset), SEEK_DATA);
  return found >= 0 ? static_cast<std::uint64_t>(found) < offset + size : errno != ENXIO;
}

bool read_all(int fd, std::uint64_t offset, base::MutableByteSpan out) {
  while (!out.empty()) {
    const ssize_t count = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    out = out.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return true;
}

// Gives the file its length; space is reserved where the file system can, so that a full disk shows at once and a
// large file lies in one piece. 0 or an errno.
int reserve(int fd, const FileJob& job) {
  const auto size = static_cast<off_t>(job.contents.size);
  if (!job.contents.is_sparse && size > 0) {
    if (::fallocate(fd, 0, 0, size) == 0) return 0;
    if (errno != EOPNOTSUPP && errno != ENOSYS) return errno;
  }
  return ::ftruncate(fd, size) == 0 ? 0 : errno;
}

// Whether a temporary can only be what an earlier run of this user has left, and nobody else has a hand in it.
bool is_ours(int fd, const FileJob& job) {
  struct stat status{};
  return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 1 && status.st_uid == ::geteuid() &&
         (status.st_mode & 07777) == kPrivate && static_cast<std::uint64_t>(status.st_size) == job.contents.size &&
         ::flistxattr(fd, nullptr, 0) <= 0;
}

}  // namespace

FileWriter::FileWriter(TargetTree& tree, const MetadataWriter& metadata, RestoreReport& report)
    : tree_(tree), metadata_(metadata), report_(report), open_(kOpenFiles) {}

Error FileWriter::error(std::string_view action, const FileJob& job, int errno_value) const {
  Error refused = tree_.error(action, *job.folder, job.name, errno_value);
  if (errno_value != EFBIG) return refused;
  // This file's own trouble: the target has room for others.
  return Error(ErrorCode::kUnsupported, refused.message(), refused.hint());
}

Result<base::UniqueFd> FileWriter::create(const FileJob& job) {
  const SharedFd at = KURA_TRY(tree_.fd(*job.folder));
  const std::string temporary = TargetTree::temporary_for(job.name);
  constexpr int kFlags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  base::UniqueFd fd(::openat(at->get(), temporary.c_str(), kFlags, kPrivate));
  if (!fd && errno == EEXIST) {  // an interrupted run's
    static_cast<void>(::unlinkat(at->get(), temporary.c_str(), 0));
    fd.reset(::openat(at->get(), temporary.c_str(), kFlags, kPrivate));
  }
  if (!fd) return base::fail(error("write", job, errno));
  return fd;
}

Status FileWriter::complete(FileJob& job, int fd) {
  const Status status = metadata_.apply(fd, EntryType::kFile, job.metadata, job.folder->default_acl);
  KURA_TRY(tree_.put_in_place(*job.folder, TargetTree::temporary_for(job.name), job.name));
  is_in_place(job, status);
  return {};
}

void FileWriter::is_in_place(const FileJob& job, const Status& status) {
  if (job.links) job.links->is_there.store(true, std::memory_order_release);
  if (status) return;
  report_.problem(tree_.source_path(*job.folder, job.name),
                  Error(status.error()).within(tree_.target_path(*job.folder, job.name)));
}

// A folder's entry is made once instead of made, made again and removed, which is a sixth of what a small file costs.
// The file cannot take the place of another, so only in a folder that this run has made.
Result<bool> FileWriter::write_unnamed(FileJob& job, base::ByteSpan contents) {
  if (!job.folder->fresh || !unnamed_works_.load(std::memory_order_relaxed)) return false;
  const SharedFd at = KURA_TRY(tree_.fd(*job.folder));
  const base::UniqueFd fd(::openat(at->get(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, kPrivate));
  if (!fd) {
    unnamed_works_.store(false, std::memory_order_relaxed);  // not every file system has it
    return false;
  }
  if (!write_all(fd.get(), 0, contents)) return base::fail(error("write", job, errno));
  const Status status = metadata_.apply(fd.get(), EntryType::kFile, job.metadata, job.folder->default_acl);
  if (::linkat(fd.get(), "", at->get(), job.name.c_str(), AT_EMPTY_PATH) != 0) {
    // Before Linux 6.10 this takes a privilege.
    if (errno != EEXIST) unnamed_works_.store(false, std::memory_order_relaxed);
    return false;
  }
  is_in_place(job, status);
  return true;
}

Status FileWriter::write_whole_to(FileJob& job, base::ByteSpan contents) {
  if (KURA_TRY(write_unnamed(job, contents))) return {};
  const base::UniqueFd fd = KURA_TRY(create(job));
  if (!write_all(fd.get(), 0, contents)) return base::fail(error("write", job, errno));
  return complete(job, fd.get());
}

void FileWriter::write_whole(FileJob& job, base::ByteSpan contents) {
  Status status = write_whole_to(job, contents);
  if (!status) {
    discard(job);
    report_.failed(tree_.source_path(*job.folder, job.name), status.error());
    return;
  }
  report_.wrote(contents.size());
  report_.restored(0);
}

Result<SharedFd> FileWriter::opened(FileJob& job) {
  if (SharedFd known = open_.find(&job)) return known;
  const std::lock_guard lock(job.mutex);
  if (SharedFd known = open_.find(&job)) return known;  // another thread was faster
  SharedFd fd;
  if (job.is_created) {
    const SharedFd at = KURA_TRY(tree_.fd(*job.folder));
    const std::string temporary = TargetTree::temporary_for(job.name);
    fd =
        std::make_shared<const base::UniqueFd>(::openat(at->get(), temporary.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
    if (!*fd || !is_ours(fd->get(), job)) return base::fail(error("write", job, *fd ? EBUSY : errno));
  } else {
    fd = std::make_shared<const base::UniqueFd>(KURA_TRY(create(job)));
    job.is_created = true;
    if (const int failure = reserve(fd->get(), job); failure != 0) return base::fail(error("write", job, failure));
  }
  open_.insert(&job, fd);
  return fd;
}

void FileWriter::write_piece(FileJob& job, std::uint64_t data_offset, base::ByteSpan bytes) {
  Result<SharedFd> fd = opened(job);
  if (!fd) return fail(job, std::move(fd).error());
  const bool written = job.contents.place(data_offset, bytes, [&](std::uint64_t offset, base::ByteSpan part) {
    return write_all((*fd)->get(), offset, part);
  });
  if (!written) return fail(job, error("write", job, errno));
  report_.wrote(bytes.size());
  job.bytes_told.fetch_add(bytes.size(), std::memory_order_relaxed);
}

void FileWriter::fail(FileJob& job, Error error) {
  const std::lock_guard lock(job.mutex);
  if (!job.failure) job.failure = std::move(error);
  job.has_failed.store(true, std::memory_order_relaxed);
}

void FileWriter::finish_chunk(FileJob& job) {
  if (job.chunks_left.fetch_sub(1, std::memory_order_acq_rel) == 1) finish(job);
}

void FileWriter::finish(FileJob& job) {
  if (!job.has_failed.load(std::memory_order_acquire)) {
    Result<SharedFd> fd = opened(job);
    Status status = fd ? complete(job, (*fd)->get()) : base::fail(std::move(fd).error());
    if (status) {
      open_.erase(&job);
      report_.restored(job.contents.size -
                       job.bytes_told.load(std::memory_order_relaxed));  // holes, and what was there
      return;
    }
    fail(job, std::move(status).error());
  }
  discard(job);
  const std::lock_guard lock(job.mutex);
  report_.failed(tree_.source_path(*job.folder, job.name), *job.failure);
}

// As far as the system lets us: what stays is taken away by the next run.
void FileWriter::discard(FileJob& job) {
  open_.erase(&job);
  const Result<SharedFd> at = tree_.fd(*job.folder);
  if (at) static_cast<void>(::unlinkat((*at)->get(), TargetTree::temporary_for(job.name).c_str(), 0));
}

std::vector<bool> FileWriter::resume(FileJob& job, const std::function<bool(std::size_t, base::ByteSpan)>& is_right) {
  const std::vector<std::uint32_t>& sizes = job.contents.sizes;
  std::vector<bool> there(sizes.size(), false);
  const Result<SharedFd> at = tree_.fd(*job.folder);
  if (!at || job.contents.is_sparse) return there;
  const std::string temporary = TargetTree::temporary_for(job.name);
  const auto fd = std::make_shared<const base::UniqueFd>(
      ::openat((*at)->get(), temporary.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!*fd || !is_ours(fd->get(), job)) return there;
  base::Bytes buffer;
  std::uint64_t offset = 0;
  for (std::size_t number = 0; number < sizes.size() && !report_.stopped(); ++number) {
    buffer.resize(sizes[number]);
    there[number] =
        has_data(fd->get(), offset, sizes[number]) && read_all(fd->get(), offset, buffer) && is_right(number, buffer);
    offset += sizes[number];
  }
  job.is_created = true;
  open_.insert(&job, fd);
  return there;
}

}  // namespace kura::archive
