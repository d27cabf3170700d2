#include "archive/backup/source_entry.h"

#include <grp.h>
#include <pwd.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace kura::archive {
namespace {

// getpwuid_r() and getgrgid_r() alike: asks again with more room while the system wants it.
template <typename Record, typename Ask>
std::string ask_name(char* Record::* name, Ask ask) {
  std::vector<char> room(1024);
  Record record{};
  Record* found = nullptr;
  while (ask(&record, room, &found) == ERANGE && room.size() < (1U << 20)) room.resize(2 * room.size());
  return found == nullptr || found->*name == nullptr ? std::string() : std::string(found->*name);
}

}  // namespace

const std::string& OwnerNames::user(uid_t uid) {
  const auto [at, is_new] = users_.try_emplace(uid);
  if (is_new) {
    at->second = ask_name(&passwd::pw_name, [uid](passwd* record, std::vector<char>& room, passwd** found) {
      return ::getpwuid_r(uid, record, room.data(), room.size(), found);
    });
  }
  return at->second;
}

const std::string& OwnerNames::group(gid_t gid) {
  const auto [at, is_new] = groups_.try_emplace(gid);
  if (is_new) {
    at->second =
        ask_name(&::group::gr_name, [gid](struct group* record, std::vector<char>& room, struct group** found) {
          return ::getgrgid_r(gid, record, room.data(), room.size(), found);
        });
  }
  return at->second;
}

Entry entry_of(std::string_view name, const struct stat& status, OwnerNames& owners) {
  Entry entry;
  entry.type = entry_type(status.st_mode);
  entry.name = name;
  entry.mode = status.st_mode & 07777;
  entry.uid = status.st_uid;
  entry.gid = status.st_gid;
  entry.mtime_seconds = status.st_mtim.tv_sec;
  entry.mtime_nanoseconds = static_cast<std::uint32_t>(status.st_mtim.tv_nsec);
  entry.user = owners.user(status.st_uid);
  entry.group = owners.group(status.st_gid);
  if (entry.type == EntryType::kFile) entry.size = static_cast<std::uint64_t>(status.st_size);
  if (entry.type == EntryType::kCharDevice || entry.type == EntryType::kBlockDevice) {
    entry.device_major = major(status.st_rdev);
    entry.device_minor = minor(status.st_rdev);
  }
  if (entry.type != EntryType::kFolder && status.st_nlink > 1) entry.hard_link.emplace(status.st_dev, status.st_ino);
  return entry;
}

base::Result<std::string> read_link(int parent, const char* name) {
  std::string target(256, '\0');
  while (true) {
    const ssize_t size = ::readlinkat(parent, name, target.data(), target.size());
    if (size < 0) return base::fail(base::Error::from_errno("cannot read the link", errno));
    if (static_cast<std::size_t>(size) < target.size()) {
      target.resize(static_cast<std::size_t>(size));
      return target;
    }
    target.resize(2 * target.size());
  }
}

}  // namespace kura::archive
