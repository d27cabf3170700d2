// By what a file is known again as unchanged, and when that may be trusted.
#pragma once

#include <sys/stat.h>

#include <algorithm>
#include <cstdint>

#include "base/time.h"

namespace kura::archive {

// A change of a file's bytes, attributes, owners or mode moves its ctime, which no program can set.
struct FileStamp {
  std::uint64_t size = 0;             // bytes
  std::int64_t mtime = 0, ctime = 0;  // ns since 1970
  std::uint64_t device = 0, inode = 0;

  friend bool operator==(const FileStamp&, const FileStamp&) = default;

  static FileStamp of(const struct stat& status) {
    return {.size = static_cast<std::uint64_t>(status.st_size),
            .mtime = nanoseconds(status.st_mtim),
            .ctime = nanoseconds(status.st_ctim),
            .device = status.st_dev,
            .inode = status.st_ino};
  }

  // Whether a later change must show in the stamp. File systems stamp in steps (a clock tick; seconds, where both times
  // have no nanoseconds), so a file that was changed in the very step in which its reading began (`read_at`, ns since
  // 1970) could be changed once more and keep its stamp.
  bool settled_at(std::int64_t read_at) const {
    const bool whole_seconds = mtime % base::kSecond == 0 && ctime % base::kSecond == 0;
    const std::int64_t step = whole_seconds ? 2 * base::kSecond : base::kSecond / 20;
    return std::max(mtime, ctime) < read_at - step;
  }

 private:
  static std::int64_t nanoseconds(const struct timespec& time) {
    // Wraps for years that 64 bits do not hold; equal times stay equal.
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 +
                                     static_cast<std::uint64_t>(time.tv_nsec));
  }
};

}  // namespace kura::archive
