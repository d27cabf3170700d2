// Owners, modes, extended attributes and times, put onto what was written.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "archive/format/entry.h"
#include "base/error.h"
#include "base/guarded.h"

namespace kura::archive {

// What an entry says of a file besides its contents, with owners as this machine numbers them.
struct Metadata {
  std::uint32_t mode = 0;  // 07777
  uid_t uid = 0;
  gid_t gid = 0;
  std::int64_t mtime_seconds = 0;
  std::uint32_t mtime_nanoseconds = 0;
  std::vector<std::pair<std::string, std::string>> xattrs;
};

// Shared by threads. Only root gives files away and sets what is root's to set (other owners, trusted and security
// attributes); for others these are left as they are without an error.
class MetadataWriter {
 public:
  explicit MetadataWriter(bool numeric_owner);

  Metadata of(const Entry& entry) const;

  // `fd` is open for reading or writing. `strip_acl`: a default ACL of the folder above may have given it an ACL.
  // Everything is tried; the first error is returned. Set-id bits and capabilities come last, after the owner.
  base::Status apply(int fd, EntryType type, const Metadata& metadata, bool strip_acl) const;
  // The same for what cannot be opened (links, fifos, devices): `fd` is an O_PATH descriptor of it.
  base::Status apply_to_path(int fd, EntryType type, const Metadata& metadata, bool strip_acl) const;

  bool is_root() const { return is_root_; }

 private:
  using Names = base::Guarded<std::map<std::string, std::int64_t>>;  // -1: not known here

  const bool numeric_owner_;
  const bool is_root_;
  mutable Names users_;
  mutable Names groups_;
};

}  // namespace kura::archive
