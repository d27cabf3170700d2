#include "archive/restore/metadata.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <string_view>

#include <fmt/format.h>

namespace kura::archive {
namespace {

using base::Error;
using base::Status;

constexpr const char* kAccessAcl = "system.posix_acl_access";
constexpr const char* kDefaultAcl = "system.posix_acl_default";

std::int64_t look_up_user(const std::string& name) {
  std::array<char, 16384> buffer{};
  struct passwd entry{};
  struct passwd* found = nullptr;
  if (::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return -1;
  return entry.pw_uid;
}

std::int64_t look_up_group(const std::string& name) {
  std::array<char, 16384> buffer{};
  struct group entry{};
  struct group* found = nullptr;
  if (::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr) return -1;
  return entry.gr_gid;
}

template <typename Names, typename LookUp>
std::int64_t known(Names& names, const std::string& name, LookUp look_up) {
  const auto locked = names.lock();
  const auto found = locked->find(name);
  if (found != locked->end()) return found->second;
  return locked->emplace(name, look_up(name)).first->second;
}

// One thing with metadata, reached by a descriptor or, for an O_PATH descriptor, through its name in /proc, which
// leads to the very same inode.
class Subject {
 public:
  Subject(int fd, EntryType type, bool by_path)
      : fd_(fd), type_(type), path_(by_path ? fmt::format("/proc/self/fd/{}", fd) : std::string()) {}

  void own(uid_t uid, gid_t gid) {
    note(by_path() ? ::fchownat(fd_, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) : ::fchown(fd_, uid, gid),
         "cannot set the owner");
  }
  void set_mode(mode_t mode) {
    if (type_ == EntryType::kSymlink) return;
    note(by_path() ? ::chmod(path_.c_str(), mode) : ::fchmod(fd_, mode), "cannot set the mode");
  }
  void set_xattr(const std::string& name, const std::string& value) {
    const int result = by_path() ? ::setxattr(path_.c_str(), name.c_str(), value.data(), value.size(), 0)
                                 : ::fsetxattr(fd_, name.c_str(), value.data(), value.size(), 0);
    note(result, [&] { return fmt::format("cannot set the extended attribute {}", name); });
  }
  void remove_xattr(const char* name) {
    static_cast<void>(by_path() ? ::removexattr(path_.c_str(), name) : ::fremovexattr(fd_, name));
  }
  void set_times(const Metadata& metadata) {
    const struct timespec times[2] = {
        {.tv_sec = 0, .tv_nsec = UTIME_OMIT},
        {.tv_sec = metadata.mtime_seconds, .tv_nsec = static_cast<long>(metadata.mtime_nanoseconds)}};
    note(by_path() ? ::utimensat(fd_, "", times, AT_EMPTY_PATH) : ::futimens(fd_, times), "cannot set the time");
  }

  Status status() && {
    if (first_error_) return base::fail(*std::move(first_error_));
    return {};
  }

 private:
  bool by_path() const { return !path_.empty(); }
  void note(int result, std::string_view what) {
    if (result != 0 && !first_error_) first_error_ = Error::from_errno(what, errno);
  }
  template <typename What>
    requires std::is_invocable_v<What>
  void note(int result, What what) {
    if (result != 0 && !first_error_) {
      const int failure = errno;
      first_error_ = Error::from_errno(what(), failure);
    }
  }

  const int fd_;
  const EntryType type_;
  const std::string path_;
  std::optional<Error> first_error_;
};

bool is_for_user(std::string_view name) { return name.starts_with("user."); }
bool is_for_root(std::string_view name) { return name.starts_with("trusted.") || name.starts_with("security."); }

Status apply_all(Subject subject, const Metadata& metadata, EntryType type, bool strip_acl, bool is_root) {
  if (is_root) subject.own(metadata.uid, metadata.gid);  // clears set-id bits and capabilities, so it comes first
  for (const auto& [name, value] : metadata.xattrs) {
    if (is_for_user(name)) subject.set_xattr(name, value);  // while its owner may still write to it
  }
  if (strip_acl) {
    subject.remove_xattr(kAccessAcl);
    if (type == EntryType::kFolder) subject.remove_xattr(kDefaultAcl);
  }
  subject.set_mode(metadata.mode);
  for (const auto& [name, value] : metadata.xattrs) {
    if (!is_for_user(name) && (is_root || !is_for_root(name))) subject.set_xattr(name, value);
  }
  subject.set_times(metadata);
  return std::move(subject).status();
}

}  // namespace

MetadataWriter::MetadataWriter(bool numeric_owner) : numeric_owner_(numeric_owner), is_root_(::geteuid() == 0) {}

Metadata MetadataWriter::of(const Entry& entry) const {
  Metadata metadata{.mode = entry.mode & 07777,
                    .uid = entry.uid,
                    .gid = entry.gid,
                    .mtime_seconds = entry.mtime_seconds,
                    .mtime_nanoseconds = entry.mtime_nanoseconds,
                    .xattrs = entry.xattrs};
  if (numeric_owner_ || !is_root_) return metadata;
  if (!entry.user.empty()) {
    if (const std::int64_t uid = known(users_, entry.user, look_up_user); uid >= 0)
      metadata.uid = static_cast<uid_t>(uid);
  }
  if (!entry.group.empty()) {
    if (const std::int64_t gid = known(groups_, entry.group, look_up_group); gid >= 0) {
      metadata.gid = static_cast<gid_t>(gid);
    }
  }
  return metadata;
}

Status MetadataWriter::apply(int fd, EntryType type, const Metadata& metadata, bool strip_acl) const {
  return apply_all(Subject(fd, type, false), metadata, type, strip_acl, is_root_);
}

Status MetadataWriter::apply_to_path(int fd, EntryType type, const Metadata& metadata, bool strip_acl) const {
  return apply_all(Subject(fd, type, true), metadata, type, strip_acl, is_root_);
}

}  // namespace kura::archive
