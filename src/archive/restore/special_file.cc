#include "archive/restore/special_file.h"

#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>

namespace kura::archive {
namespace {

bool links_to(int at, const std::string& name, const std::string& target) {
  std::string found(target.size() + 1, '\0');
  const ssize_t size = ::readlinkat(at, name.c_str(), found.data(), found.size());
  return size >= 0 && found.compare(0, static_cast<std::size_t>(size), target) == 0;
}

}  // namespace

int make_special_file(int at, const std::string& name, const Entry& entry) {
  if (entry.type == EntryType::kSymlink) return ::symlinkat(entry.target.c_str(), at, name.c_str()) == 0 ? 0 : errno;
  const bool is_node =
      entry.type == EntryType::kFifo || entry.type == EntryType::kCharDevice || entry.type == EntryType::kBlockDevice;
  if (!is_node) return EINVAL;
  return ::mknodat(at, name.c_str(), type_bits(entry.type) | 0600, makedev(entry.device_major, entry.device_minor)) == 0
             ? 0
             : errno;
}

bool is_same_special_file(int at, const struct stat& status, const Entry& entry) {
  if (entry.type == EntryType::kSymlink) {
    return S_ISLNK(status.st_mode) && links_to(at, entry.name, entry.target);
  }
  if ((status.st_mode & S_IFMT) != type_bits(entry.type)) return false;
  return entry.type == EntryType::kFifo || status.st_rdev == makedev(entry.device_major, entry.device_minor);
}

}  // namespace kura::archive
