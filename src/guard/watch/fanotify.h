// fanotify(7): groups, and what they tell.
#pragma once

#include <sys/fanotify.h>

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"

namespace kura::guard {

struct FanotifyGroup {
  base::UniqueFd fd;
  bool tells_pidfd = false;
};

// Names of what is created, written and closed, renamed, deleted in the whole file system of `root`: the kernel tells
// of names for no less. kUnsupported by kernels before 5.17.
base::Result<FanotifyGroup> open_names_group(int root, const std::string& folder);
// Opens through the mount of `folder`, each of which waits for an answer.
base::Result<FanotifyGroup> open_permission_group(const std::string& folder);

// A file handle and a name in it, views into what was read.
struct NamedHandle {
  std::string_view handle;  // struct file_handle, whole
  std::string_view name;
};

struct NameEvent {
  std::uint64_t mask = 0;
  pid_t pid = 0;
  NamedHandle at;    // where it is
  NamedHandle from;  // of a rename: where it was
};

inline constexpr std::size_t kFanotifyBuffer = 256U << 10;

// Calls each(event) for what one read gave.
template <typename Each>
void for_each_event(std::span<const char> bytes, const Each& each) {
  const auto* head = reinterpret_cast<const fanotify_event_metadata*>(bytes.data());
  std::size_t left = bytes.size();
  while (left >= FAN_EVENT_METADATA_LEN && head->event_len >= FAN_EVENT_METADATA_LEN && head->event_len <= left) {
    each(*head);
    left -= head->event_len;
    head = reinterpret_cast<const fanotify_event_metadata*>(reinterpret_cast<const char*>(head) + head->event_len);
  }
}

// What the records behind an event's head say; closes the pidfd among them.
NameEvent name_event_of(const fanotify_event_metadata& head);

}  // namespace kura::guard
