#include "archive/backup/folder_names.h"

#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace kura::archive {
namespace {

constexpr std::size_t kBatch = 64U << 10;  // bytes of names from the kernel at a time

bool is_dots(const char* name) { return std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0; }

}  // namespace

void FolderNames::add(const char* name) {
  begins_.push_back(bytes_.size());
  bytes_.append(name, std::strlen(name) + 1);
}

void FolderNames::sort() {
  const char* bytes = bytes_.data();
  std::ranges::sort(begins_, [bytes](std::size_t a, std::size_t b) { return std::strcmp(bytes + a, bytes + b) < 0; });
  // A folder that changes while it is read may show a name twice.
  const auto same = [bytes](std::size_t a, std::size_t b) { return std::strcmp(bytes + a, bytes + b) == 0; };
  begins_.erase(std::unique(begins_.begin(), begins_.end(), same), begins_.end());
}

base::Status FolderNames::read(int fd) {
  const auto batch = std::make_unique_for_overwrite<char[]>(kBatch);
  while (true) {
    // Not readdir(): it would own the descriptor, which others still open files from.
    const long got = ::syscall(SYS_getdents64, fd, batch.get(), kBatch);
    if (got <= 0) {
      const int reason = errno;
      sort();
      if (got < 0) return base::fail(base::Error::from_errno("cannot list all of the folder", reason));
      return {};
    }
    for (long at = 0; at < got;) {
      const auto* entry = reinterpret_cast<const ::dirent64*>(batch.get() + at);
      if (!is_dots(entry->d_name)) add(entry->d_name);
      at += entry->d_reclen;
    }
  }
}

}  // namespace kura::archive
