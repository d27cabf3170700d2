#include "guard/watch/fanotify.h"

#include <fcntl.h>
#include <linux/fanotify.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace kura::guard {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;

constexpr std::uint64_t kNames = FAN_CLOSE_WRITE | FAN_CREATE | FAN_DELETE | FAN_RENAME | FAN_ONDIR;
constexpr unsigned kFileFlags = O_RDONLY | O_LARGEFILE | O_CLOEXEC | O_NOATIME;

Error fanotify_error(const std::string& folder, int number) {
  if (number == EINVAL || number == ENOSYS) {
    return {ErrorCode::kUnsupported, "this kernel does not tell what is needed of " + folder,
            "Linux 5.17 or newer is needed, and a file system that it can export"};
  }
  if (number == EXDEV || number == ENODEV || number == EOPNOTSUPP) {
    return {ErrorCode::kUnsupported, "the file system of " + folder + " cannot be watched as a whole",
            "put the share onto a file system of its own (ext4, xfs, btrfs's root, tmpfs)"};
  }
  return Error::from_errno("cannot watch " + folder, number)
      .with_hint("the guard needs root or CAP_SYS_ADMIN and CAP_DAC_READ_SEARCH");
}

NamedHandle handle_in(std::string_view record) {
  constexpr std::size_t kBefore = sizeof(fanotify_event_info_fid);  // header and fsid
  if (record.size() < kBefore + sizeof(file_handle)) return {};
  file_handle head{};
  std::memcpy(&head, record.data() + kBefore, sizeof head);
  const std::size_t size = sizeof head + head.handle_bytes;
  if (record.size() < kBefore + size) return {};
  std::string_view name = record.substr(kBefore + size);
  name = name.substr(0, name.find('\0'));
  return {record.substr(kBefore, size), name};
}

void close_pidfd(std::string_view record) {
  fanotify_event_info_pidfd info{};
  if (record.size() < sizeof info) return;
  std::memcpy(&info, record.data(), sizeof info);
  if (info.pidfd >= 0) ::close(info.pidfd);
}

}  // namespace

Result<FanotifyGroup> open_names_group(int root, const std::string& folder) {
  const unsigned flags = FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK;
  FanotifyGroup group;
  for (const unsigned more : {unsigned{FAN_REPORT_DFID_NAME_TARGET}, unsigned{FAN_REPORT_DFID_NAME}}) {
    group.fd.reset(::fanotify_init(flags | more, kFileFlags));
    if (group.fd) break;
  }
  if (!group.fd) return base::fail(fanotify_error(folder, errno));
  const std::string at = fmt::format("/proc/self/fd/{}", root);
  if (::fanotify_mark(group.fd.get(), FAN_MARK_ADD | FAN_MARK_FILESYSTEM, kNames, AT_FDCWD, at.c_str()) != 0) {
    return base::fail(fanotify_error(folder, errno));
  }
  return group;
}

Result<FanotifyGroup> open_permission_group(const std::string& folder) {
  FanotifyGroup group;
  group.fd.reset(::fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_NONBLOCK | FAN_REPORT_TID | FAN_UNLIMITED_QUEUE,
                                 kFileFlags));
  if (!group.fd) return base::fail(fanotify_error(folder, errno));
  if (::fanotify_mark(group.fd.get(), FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_OPEN_PERM, AT_FDCWD, folder.c_str()) != 0) {
    return base::fail(fanotify_error(folder, errno));
  }
  return group;
}

NameEvent name_event_of(const fanotify_event_metadata& head) {
  NameEvent event{.mask = head.mask, .pid = head.pid, .at = {}, .from = {}};
  std::string_view records(reinterpret_cast<const char*>(&head) + head.metadata_len,
                           head.event_len - head.metadata_len);
  while (records.size() >= sizeof(fanotify_event_info_header)) {
    fanotify_event_info_header info{};
    std::memcpy(&info, records.data(), sizeof info);
    if (info.len < sizeof info || info.len > records.size()) break;
    const std::string_view record = records.substr(0, info.len);
    switch (info.info_type) {
      case FAN_EVENT_INFO_TYPE_DFID_NAME:
      case FAN_EVENT_INFO_TYPE_NEW_DFID_NAME:
        event.at = handle_in(record);
        break;
      case FAN_EVENT_INFO_TYPE_OLD_DFID_NAME:
        event.from = handle_in(record);
        break;
      case FAN_EVENT_INFO_TYPE_PIDFD:
        close_pidfd(record);
        break;
      default:
        break;
    }
    records.remove_prefix(info.len);
  }
  return event;
}

}  // namespace kura::guard
