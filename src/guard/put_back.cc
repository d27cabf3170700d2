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
#include <set>

#include <fmt/format.h>

#include "base/unique_fd.h"
#include "guard/state/saved_files.h"

namespace kura::guard {
namespace {

using base::Error;
using base::Status;

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

// A file of the share before the incident's actor touched it.
struct Original {
  std::int64_t saved = 0;    // its contents, or 0
  std::string now;           // how it is called
  bool only_renamed = true;  // nothing else happened to it
};

// By their names. What came with the attack is not among them: there is nothing to put back.
std::map<std::string, Original> originals_of(const Incident& incident) {
  std::map<std::string, Original> all;
  std::set<std::string> came;
  for (const TouchedFile& file : incident.files) {
    if (file.touch.what == "created" && !all.contains(file.original)) came.insert(file.original);
    if (came.contains(file.original)) continue;
    Original& original = all[file.original];
    if (original.saved == 0) original.saved = file.saved;
    original.now = file.touch.path;
    original.only_renamed = original.only_renamed && file.touch.what == "renamed";
  }
  return all;
}

// Under another name it is as it was.
Status rename_back(const std::string& from, const std::string& to) {
  if (from == to) return {};
  std::error_code code;
  std::filesystem::create_directories(std::filesystem::path(to).parent_path(), code);
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
  return base::fail(Error::from_errno(fmt::format("cannot rename {} back to {}", from, to), errno));
}

Status put_back_one(const Incident& incident, const std::string& path, const Original& original,
                    const std::string& saved_folder, const std::string& target) {
  const std::string place = target + "/" + path;
  if (original.saved != 0) return put_one(SavedFiles::file_name(saved_folder, original.saved), place);
  const std::string now = incident.share + "/" + original.now;
  return target == incident.share ? rename_back(now, place) : put_one(now, place);
}

}  // namespace

base::Result<PutBackCounts> put_back(const Incident& incident, const std::string& saved_folder,
                                     const std::string& target, const OnPutBack& on_file, const std::stop_token& stop) {
  PutBackCounts counts;
  for (const auto& [path, original] : originals_of(incident)) {
    KURA_TRY(base::not_stopped(stop));
    if (original.saved == 0 && !original.only_renamed) {
      ++counts.unsaved;
      on_file(path, "unsaved", nullptr);
      continue;
    }
    const auto done = put_back_one(incident, path, original, saved_folder, target);
    done ? ++counts.restored : ++counts.failed;
    on_file(path, done ? "restored" : "failed", done ? nullptr : &done.error());
  }
  return counts;
}

}  // namespace kura::guard
