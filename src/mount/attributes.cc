#include "mount/attributes.h"

#include <sys/sysmacros.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "archive/restore/link_identity.h"
#include "crypto/hash.h"

namespace kura::mount {
namespace {

using archive::Entry;
using archive::EntryType;

constexpr std::uint64_t kBlock = 512;  // st_blocks counts these

// What a snapshot says may be more than the system has a form for: that file cannot be opened, but it can be seen.
off_t bounded(std::uint64_t size) {
  return static_cast<off_t>(std::min<std::uint64_t>(size, std::numeric_limits<off_t>::max()));
}

}  // namespace

struct stat attributes_of(const NodeFacts& node) {
  const Entry& entry = node.entry;
  struct stat status{};
  std::memcpy(&status.st_ino, node.key.bytes.data(), sizeof status.st_ino);
  status.st_mode = type_bits(entry.type) | (entry.mode & 07777);
  status.st_nlink = entry.hard_link || entry.type == EntryType::kFolder ? 2 : 1;
  status.st_uid = entry.uid;
  status.st_gid = entry.gid;
  status.st_rdev = makedev(entry.device_major, entry.device_minor);
  status.st_blksize = 128 << 10;
  if (entry.type == EntryType::kFile) {
    status.st_size = bounded(entry.size);
    status.st_blocks = bounded(data_size(entry) / kBlock + (data_size(entry) % kBlock != 0 ? 1 : 0));
  } else if (entry.type == EntryType::kSymlink) {
    status.st_size = bounded(entry.target.size());
  }
  status.st_mtim = {.tv_sec = entry.mtime_seconds, .tv_nsec = static_cast<long>(entry.mtime_nanoseconds)};
  status.st_atim = status.st_mtim;
  status.st_ctim = status.st_mtim;
  return status;
}

NodeKey key_of(const NodeFacts& parent, const SnapshotPtr& snapshot, const Entry& entry) {
  base::Encoder out;
  if (parent.place == Place::kInSnapshot && entry.hard_link) {
    out.u8(1).raw(snapshot->id.span()).raw(archive::link_identity(entry).span());
    out.u64(entry.hard_link->first).u64(entry.hard_link->second);
  } else if (parent.place == Place::kInSnapshot) {
    out.u8(2).raw(parent.key.span()).raw(base::as_bytes(entry.name));
  } else if (snapshot) {
    out.u8(3).raw(snapshot->id.span()).raw(base::as_bytes(entry.name));
  } else {
    out.u8(4).raw(parent.key.span()).string(entry.name).string(entry.target);
  }
  return crypto::sha256(out.bytes());
}

}  // namespace kura::mount
