#include "guard/put_back.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>

#include "base/unique_fd.h"
#include "guard/state/saved_files.h"

namespace kura::guard {
namespace {

using base::Error;
using base::Status;

constexpr std::int64_t kNothing = -1;  // it came with the attack: there is nothing to put back

Status fill_from(int from, int to, std::uint64_t size, const std::string& name) {
  if (::ioctl(to, FICLONE, from) == 0) return {};
  off_t offset = 0;
  while (static_cast<std::uint64_t>(offset) < size) {
    const ssize_t got = ::sendfile(to, from, &offset, size - static_cast<std::uint64_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return base::fail(Error::from_errno("cannot write " + name, got < 0 ? errno : EIO));
  }
  return {};
}

Status compare_files(int one, int other, std::uint64_t size, const std::string& name) {
  constexpr std::size_t kPiece = 1U << 20;
  std::string first(kPiece, '\0');
  std::string second(kPiece, '\0');
  for (std::uint64_t at = 0; at < size;) {
    const ssize_t got = ::pread(one, first.data(), kPiece, static_cast<off_t>(at));
    if (got <= 0 || ::pread(other, second.data(), static_cast<std::size_t>(got), static_cast<off_t>(at)) != got ||
        std::memcmp(first.data(), second.data(), static_cast<std::size_t>(got)) != 0) {
      return base::fail(base::ErrorCode::kDamaged, name + " does not read back as it was saved");
    }
    at += static_cast<std::uint64_t>(got);
  }
  return {};
}

void take_over(const struct stat& facts, int to) {
  [[maybe_unused]] const int owned = ::fchown(to, facts.st_uid, facts.st_gid);
  ::fchmod(to, facts.st_mode & 0777);
  const std::array<timespec, 2> times{facts.st_atim, facts.st_mtim};
  ::futimens(to, times.data());
}

Status put_one(const std::string& saved, const std::string& path) {
  std::error_code code;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), code);
  const base::UniqueFd from(::open(saved.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat facts{};
  if (!from || ::fstat(from.get(), &facts) != 0) {
    return base::fail(Error::from_errno("cannot read the saved contents " + saved, errno));
  }
  const std::string temporary = path + ".kura-restoring";
  ::unlink(temporary.c_str());
  const base::UniqueFd to(::open(temporary.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!to) return base::fail(Error::from_errno("cannot make " + temporary, errno));
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  Status done = fill_from(from.get(), to.get(), size, temporary);
  if (done) done = compare_files(from.get(), to.get(), size, temporary);
  if (done) take_over(facts, to.get());
  if (done && (::fsync(to.get()) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0)) {
    done = base::fail(Error::from_errno("cannot put back " + path, errno));
  }
  if (!done) ::unlink(temporary.c_str());
  return done;
}

}  // namespace

base::Result<PutBackCounts> put_back(const Incident& incident, const std::string& saved_folder,
                                     const std::string& target, const OnPutBack& on_file, const std::stop_token& stop) {
  // Of each file that was there: what was saved before it was touched first.
  std::map<std::string, std::int64_t> first;
  for (const TouchedFile& file : incident.files) {
    const std::int64_t saved = file.touch.what == "created" ? kNothing : file.saved;
    first.emplace(file.touch.from.empty() ? file.touch.path : file.touch.from, saved);
  }
  PutBackCounts counts;
  for (const auto& [path, saved] : first) {
    KURA_TRY(base::not_stopped(stop));
    if (saved == kNothing) continue;
    if (saved == 0) {
      ++counts.unsaved;
      on_file(path, "unsaved", nullptr);
      continue;
    }
    const auto done = put_one(SavedFiles::file_name(saved_folder, saved), target + "/" + path);
    done ? ++counts.restored : ++counts.failed;
    on_file(path, done ? "restored" : "failed", done ? nullptr : &done.error());
  }
  return counts;
}

}  // namespace kura::guard
