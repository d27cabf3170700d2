#include "archive/backup/file_reader.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "archive/backup/data_extents.h"
#include "archive/backup/file_stamp.h"
#include "base/time.h"

namespace kura::archive {
namespace {

constexpr std::size_t kReadSize = 1U << 20;  // bytes

base::UniqueFd open_file(int parent, const char* name) {
  int fd = ::openat(parent, name, kReadFlags | O_NOATIME);
  if (fd < 0 && errno == EPERM) fd = ::openat(parent, name, kReadFlags);  // O_NOATIME is for the owner
  return base::UniqueFd(fd);
}

base::Error read_error(int reason) { return base::Error::from_errno("cannot read it", reason); }

}  // namespace

base::Result<ReadFile> FileReader::read(int parent, const char* name, const struct stat& walked,
                                        const SmallFile& fetched, const Last& last) {
  name_ = name;
  last_ = last;
  if (fetched.fd >= 0) {
    if (auto file = read_as_walked(fetched.fd, walked, fetched.read_at, fetched.bytes)) return *std::move(file);
  }
  const std::int64_t read_at = base::now_ns();
  const base::UniqueFd fd = open_file(parent, name);
  if (!fd) return base::fail(base::Error::from_errno("cannot open it", errno));
  if (S_ISREG(walked.st_mode) && static_cast<std::uint64_t>(walked.st_size) <= kReadSize) {
    if (auto file = read_as_walked(fd.get(), walked, read_at, std::nullopt)) return *std::move(file);
  }
  struct stat status{};
  if (::fstat(fd.get(), &status) != 0) return base::fail(read_error(errno));
  if (!S_ISREG(status.st_mode)) {
    return base::fail(base::ErrorCode::kConflict, "it was a file and was replaced by something else during the backup",
                      "Run the backup again");
  }
  ReadFile file = KURA_TRY(read_open(fd.get(), status, read_at));
  file.status_changed = true;
  return file;
}

// A small file is read on the walk's word, which the look afterwards proves: nearly always, one system call less.
// Nothing when that failed.
std::optional<base::Result<ReadFile>> FileReader::read_as_walked(int fd, const struct stat& walked,
                                                                 std::int64_t read_at,
                                                                 std::optional<base::ByteSpan> bytes) {
  base::Result<ReadFile> file = read_open(fd, walked, read_at, bytes);
  if ((file && !file->changed) || job_.stopped()) return file;
  if (file) progress_.bytes_done -= file->bytes_read;
  return std::nullopt;
}

// `bytes`: all of it, when they were read already.
base::Result<ReadFile> FileReader::read_open(int fd, const struct stat& status, std::int64_t read_at,
                                             std::optional<base::ByteSpan> bytes) {
  content_.reset();
  ReadFile file;
  file.read_at = read_at;
  file.status = status;
  if (base::Result<Xattrs> xattrs = read_xattrs(fd)) {
    file.xattrs = *std::move(xattrs);
  } else {
    file.xattrs_problem = std::move(xattrs).error();
  }
  if (bytes) {
    KURA_TRY(take(*bytes, file));
  } else {
    file.extents = find_data_extents(fd, status);
    KURA_TRY(file.extents ? read_extents(fd, file) : read_data(fd, file));
  }
  file.content = KURA_TRY(content_.finish());
  struct stat after{};
  if (::fstat(fd, &after) != 0) return base::fail(read_error(errno));
  file.changed =
      FileStamp::of(after) != FileStamp::of(status) || file.size != static_cast<std::uint64_t>(status.st_size);
  if (judge_ != nullptr && !file.changed) judge(fd, bytes.has_value(), file);
  return file;
}

// One that was only touched is what it was found to be before.
void FileReader::judge(int fd, bool fetched, ReadFile& file) const {
  if (last_.judged.known != nullptr && last_.content != nullptr && *last_.content == file.content.ref) {
    file.judged = *last_.judged.known;
  } else if (fetched) {
    file.to_be_judged = true;
  } else {
    file.judged =
        judge_contents(*judge_, {.fd = fd, .size = file.size, .bytes = {}}, file.bytes_read, name_, last_.judged);
  }
}

base::Status FileReader::take(base::ByteSpan bytes, ReadFile& file) {
  KURA_TRY(content_.append(bytes));
  file.size = file.bytes_read = bytes.size();
  progress_.bytes_done += bytes.size();
  return {};
}

// Reads up to `size` bytes; fewer when the file ends before.
base::Status FileReader::read_range(int fd, std::uint64_t offset, std::uint64_t size, std::uint64_t& got) {
  got = 0;
  while (got < size) {
    if (job_.stopped()) KURA_TRY(job_.status());
    const base::MutableByteSpan room = content_.space(std::min<std::uint64_t>(size - got, kReadSize));
    const ssize_t count = ::pread(fd, room.data(), room.size(), static_cast<off_t>(offset + got));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return base::fail(read_error(errno));
    if (count == 0) break;
    got += static_cast<std::uint64_t>(count);
    progress_.bytes_done += static_cast<std::uint64_t>(count);
    KURA_TRY(content_.advance(static_cast<std::size_t>(count)));
  }
  return {};
}

base::Status FileReader::read_data(int fd, ReadFile& file) {
  // Not beyond the size that it had: a log that grows faster than it is read would never end.
  KURA_TRY(read_range(fd, 0, static_cast<std::uint64_t>(file.status.st_size), file.bytes_read));
  file.size = file.bytes_read;
  return {};
}

base::Status FileReader::read_extents(int fd, ReadFile& file) {
  std::uint64_t end = 0;
  file.size = static_cast<std::uint64_t>(file.status.st_size);
  for (std::size_t i = 0; i < file.extents->size(); ++i) {
    Extent& extent = (*file.extents)[i];
    const std::uint64_t begin = end + extent.gap;
    std::uint64_t got = 0;
    KURA_TRY(read_range(fd, begin, extent.size, got));
    file.bytes_read += got;
    end = begin + got;
    if (got == extent.size) continue;
    // It was cut off here: the file ends with what was read, or where the extent should have begun.
    extent.size = got;
    file.extents->resize(got == 0 ? i : i + 1);
    file.size = end;
    break;
  }
  return {};
}

}  // namespace kura::archive
