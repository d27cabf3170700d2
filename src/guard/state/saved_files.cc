#include "guard/state/saved_files.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "base/time.h"

namespace kura::guard {
namespace {

using Clock = std::chrono::steady_clock;

enum class Copied : std::uint8_t { kReflink, kCopy, kTooLarge, kLate, kNoSpace, kFailed };

Copied copy_bytes(int from, int to, std::uint64_t size, Clock::time_point end) {
  constexpr std::size_t kPiece = 4U << 20;
  off_t offset = 0;  // an own one: the position of `from` may be somebody else's
  while (static_cast<std::uint64_t>(offset) < size) {
    if (Clock::now() >= end) return Copied::kLate;
    const ssize_t got =
        ::sendfile(to, from, &offset, std::min<std::uint64_t>(kPiece, size - static_cast<std::uint64_t>(offset)));
    if (got == 0) break;  // it became shorter
    if (got < 0 && errno != EINTR) return errno == ENOSPC || errno == EDQUOT ? Copied::kNoSpace : Copied::kFailed;
  }
  return Copied::kCopy;
}

Copied copy_file(int from, int to, std::uint64_t size, std::uint64_t most, Clock::time_point end) {
  if (::ioctl(to, FICLONE, from) == 0) return Copied::kReflink;
  return size > most ? Copied::kTooLarge : copy_bytes(from, to, size, end);
}

SaveResult result_of(Copied copied) {
  switch (copied) {
    case Copied::kReflink:
    case Copied::kCopy:
      return SaveResult::kSaved;
    case Copied::kTooLarge:
      return SaveResult::kTooLarge;
    case Copied::kLate:
      return SaveResult::kLate;
    case Copied::kNoSpace:
      return SaveResult::kNoSpace;
    case Copied::kFailed:
      return SaveResult::kFailed;
  }
  std::unreachable();
}

std::int64_t modified_of(const struct stat& facts) {
  return facts.st_mtim.tv_sec * base::kSecond + facts.st_mtim.tv_nsec;
}

}  // namespace

std::string_view name_of(SaveResult result) {
  switch (result) {
    case SaveResult::kSaved:
      return "saved";
    case SaveResult::kKnown:
      return "known";
    case SaveResult::kEmpty:
      return "empty";
    case SaveResult::kTooLarge:
      return "too_large";
    case SaveResult::kNoSpace:
      return "no_space";
    case SaveResult::kLate:
      return "late";
    case SaveResult::kFailed:
      return "failed";
  }
  std::unreachable();
}

base::Result<std::unique_ptr<SavedFiles>> SavedFiles::open(std::string folder, SaveBounds bounds, Memory& memory) {
  std::error_code code;
  std::filesystem::create_directories(folder, code);
  if (code || ::chmod(folder.c_str(), 0700) != 0) {
    return base::fail(base::Error::from_errno("cannot save old contents in " + folder, code ? code.value() : errno));
  }
  return std::unique_ptr<SavedFiles>(new SavedFiles(std::move(folder), bounds, memory));
}

std::string SavedFiles::file_name(const std::string& folder, std::int64_t id) {
  return fmt::format("{}/{}", folder, id);
}

bool SavedFiles::is_known(std::uint64_t inode, std::int64_t modified, std::uint64_t size) {
  const base::MutexLock lock(mutex_);
  const auto known = known_.find(inode);
  return known != known_.end() && known->second.modified == modified && known->second.size == size;
}

void SavedFiles::learn(std::uint64_t inode, std::int64_t modified, std::uint64_t size) {
  const base::MutexLock lock(mutex_);
  if (known_.size() >= kMostKnown) known_.clear();
  known_[inode] = {modified, size};
}

bool SavedFiles::make_room(std::uint64_t size) {
  if (size > bounds_.space) return false;
  while (used_ + size > bounds_.space) {
    const auto oldest = memory_.oldest_saved();
    if (!oldest) return false;
    ::unlink(file_name(folder_, oldest->id).c_str());
    memory_.drop_saved(oldest->id);
    used_ -= std::min<std::uint64_t>(used_, oldest->size);
    const base::MutexLock lock(mutex_);
    known_.erase(oldest->inode);
  }
  return true;
}

SaveResult SavedFiles::save(int fd, const std::string& path, const std::string& actor, Clock::time_point end,
                            std::int64_t gone) {
  struct stat facts{};
  if (::fstat(fd, &facts) != 0 || !S_ISREG(facts.st_mode)) return SaveResult::kFailed;
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  if (size == 0) return SaveResult::kEmpty;
  if (gone == 0 && is_known(facts.st_ino, modified_of(facts), size)) return SaveResult::kKnown;
  if (!make_room(size)) return SaveResult::kNoSpace;
  const std::string temporary = fmt::format("{}/new-{}", folder_, temporary_++);
  const base::UniqueFd to(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!to) return SaveResult::kFailed;
  const Copied copied = copy_file(fd, to.get(), size, bounds_.one_copy, end);
  if (copied == Copied::kReflink) reflinks_ = true;
  const SaveResult result = result_of(copied);
  if (result != SaveResult::kSaved) {
    ::unlink(temporary.c_str());
    return result;
  }
  // A restore takes these from the copy.
  [[maybe_unused]] const int owned = ::fchown(to.get(), facts.st_uid, facts.st_gid);
  ::fchmod(to.get(), facts.st_mode & 0777);
  const std::array<timespec, 2> times{facts.st_atim, facts.st_mtim};
  ::futimens(to.get(), times.data());
  const std::int64_t id = memory_.add_saved({.id = 0,
                                             .path = path,
                                             .actor = actor,
                                             .inode = facts.st_ino,
                                             .size = size,
                                             .modified = modified_of(facts),
                                             .time = gone != 0 ? gone : base::now_ns()});
  if (id == 0 || ::rename(temporary.c_str(), file_name(folder_, id).c_str()) != 0) {
    ::unlink(temporary.c_str());
    return SaveResult::kFailed;
  }
  used_ += size;
  learn(facts.st_ino, modified_of(facts), size);
  return result;
}

base::Result<base::UniqueFd> SavedFiles::open_saved(std::int64_t id) const {
  const std::string name = file_name(folder_, id);
  base::UniqueFd fd(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return base::fail(base::Error::from_errno("cannot open the saved contents " + name, errno));
  return fd;
}

}  // namespace kura::guard
