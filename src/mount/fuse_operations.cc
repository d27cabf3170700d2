#include "mount/fuse_operations.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "mount/attributes.h"

namespace kura::mount {
namespace {

using archive::EntryType;

// What a snapshot holds never changes: three years.
constexpr double kForever = 1e8;  // s
// New snapshots appear above.
constexpr double kAWhile = 2;           // s
constexpr std::size_t kMostParts = 64;  // of one answer, before they are copied into one
constexpr unsigned kMostRead = 1U << 20;
constexpr unsigned kMostInBackground = 64;

Mounted& mounted_of(fuse_req_t request) { return *static_cast<Mounted*>(fuse_req_userdata(request)); }
FileSystem& system_of(fuse_req_t request) { return mounted_of(request).system; }

void refuse(fuse_req_t request, int error) { fuse_reply_err(request, error); }

// An exception (no memory) ends the question, not the mount.
template <typename Work>
void answer(fuse_req_t request, Work work) {
  try {
    work(system_of(request));
  } catch (const std::exception&) {
    refuse(request, ENOMEM);
  }
}

// The same about a node, which the kernel knows as long as it asks about it.
template <typename Work>
void answer_about(fuse_req_t request, fuse_ino_t number, Work work) {
  answer(request, [&](FileSystem& system) {
    const NodePtr node = system.nodes().find(number);
    node ? work(system, node) : refuse(request, ESTALE);
  });
}

double time_of(const NodeFacts& facts) {
  return facts.place == Place::kInSnapshot && facts.snapshot ? kForever : kAWhile;
}

// A name above the snapshots may come to mean another one, when one of the same second is forgotten.
fuse_entry_param entry_of(const Node& node, const Node& folder) {
  fuse_entry_param entry{};
  entry.ino = node.id;
  entry.attr = attributes_of(node);
  entry.attr_timeout = time_of(node);
  entry.entry_timeout = time_of(folder);
  return entry;
}

void init(void* mounted, fuse_conn_info* connection) {
  unsigned wanted = FUSE_CAP_READDIRPLUS | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_ASYNC_READ;
  if (static_cast<Mounted*>(mounted)->allow_other) wanted |= FUSE_CAP_POSIX_ACL;
  connection->want &= ~static_cast<unsigned>(FUSE_CAP_READDIRPLUS_AUTO);
  connection->want |= connection->capable & wanted;
  connection->max_write = kMostRead;  // from which libfuse has the most pages of a read, too
  connection->max_background = kMostInBackground;
  connection->congestion_threshold = kMostInBackground;
}

void lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  answer_about(request, parent, [&](FileSystem& system, const NodePtr& folder) {
    const Answer<NodePtr> node = system.look_up(folder, name);
    fuse_entry_param entry{};
    if (node) {
      entry = entry_of(**node, *folder);
    } else if (node.error() == ENOENT && folder->place == Place::kInSnapshot) {
      entry.entry_timeout = kForever;  // number 0: the kernel remembers that there is no such name
    } else {
      return refuse(request, node.error());
    }
    if (fuse_reply_entry(request, &entry) != 0 && node) system.nodes().forget((*node)->id, 1);
  });
}

void forget(fuse_req_t request, fuse_ino_t number, std::uint64_t count) {
  system_of(request).nodes().forget(number, count);
  fuse_reply_none(request);
}

void forget_many(fuse_req_t request, std::size_t count, fuse_forget_data* forgets) {
  for (std::size_t i = 0; i < count; ++i) system_of(request).nodes().forget(forgets[i].ino, forgets[i].nlookup);
  fuse_reply_none(request);
}

void get_attributes(fuse_req_t request, fuse_ino_t number, fuse_file_info* /*file*/) {
  answer_about(request, number, [&](FileSystem&, const NodePtr& node) {
    const struct stat status = attributes_of(*node);
    fuse_reply_attr(request, &status, time_of(*node));
  });
}

void read_link(fuse_req_t request, fuse_ino_t number) {
  answer_about(request, number, [&](FileSystem&, const NodePtr& node) {
    if (node->entry.type != EntryType::kSymlink) return refuse(request, EINVAL);
    fuse_reply_readlink(request, node->entry.target.c_str());
  });
}

void open_file(fuse_req_t request, fuse_ino_t number, fuse_file_info* file) {
  answer_about(request, number, [&](FileSystem& system, const NodePtr& node) {
    Answer<std::unique_ptr<FileHandle>> handle = system.open_file(node);
    if (!handle) return refuse(request, handle.error());
    file->fh = mounted_of(request).files.keep(*std::move(handle));
    file->keep_cache = 1;
    file->noflush = 1;
    Mounted& mounted = mounted_of(request);  // the request goes with its answer
    if (fuse_reply_open(request, file) != 0) mounted.files.drop(file->fh);
  });
}

void release_file(fuse_req_t request, fuse_ino_t /*number*/, fuse_file_info* file) {
  mounted_of(request).files.drop(file->fh);
  refuse(request, 0);
}

void reply(fuse_req_t request, const FileSystem::Bytes& bytes) {
  if (bytes.parts.size() > kMostParts) {
    std::string whole;
    for (const base::ByteSpan part : bytes.parts) whole += base::as_text(part);
    fuse_reply_buf(request, whole.data(), whole.size());
    return;
  }
  std::vector<iovec> parts;
  parts.reserve(bytes.parts.size());
  for (const base::ByteSpan part : bytes.parts) {
    // The kernel reads from it only.
    parts.push_back({const_cast<std::uint8_t*>(part.data()), part.size()});  // NOLINT(*-const-cast)
  }
  fuse_reply_iov(request, parts.data(), static_cast<int>(parts.size()));
}

void read_file(fuse_req_t request, fuse_ino_t /*number*/, std::size_t size, off_t offset, fuse_file_info* file) {
  answer(request, [&](FileSystem& system) {
    FileHandle& handle = Handles<FileHandle>::at(file->fh);
    const auto bytes = system.read(handle, static_cast<std::uint64_t>(offset), size);
    bytes ? reply(request, *bytes) : refuse(request, bytes.error());
  });
}

void seek(fuse_req_t request, fuse_ino_t /*number*/, off_t offset, int whence, fuse_file_info* file) {
  answer(request, [&](FileSystem&) {
    const FileTable& table = *Handles<FileHandle>::at(file->fh).file.table;
    if (whence != SEEK_DATA && whence != SEEK_HOLE) return refuse(request, EINVAL);
    const auto from = static_cast<std::uint64_t>(offset);
    const auto found = whence == SEEK_DATA ? table.next_data(from) : table.next_hole(from);
    if (!found) return refuse(request, ENXIO);
    fuse_reply_lseek(request, static_cast<off_t>(*found));
  });
}

void open_folder(fuse_req_t request, fuse_ino_t number, fuse_file_info* file) {
  answer_about(request, number, [&](FileSystem& system, const NodePtr& folder) {
    auto listing = system.list(folder);
    if (!listing) return refuse(request, listing.error());
    file->fh = mounted_of(request).listings.keep(*std::move(listing));
    file->cache_readdir = folder->place == Place::kInSnapshot ? 1 : 0;
    file->keep_cache = file->cache_readdir;
    Mounted& mounted = mounted_of(request);  // the request goes with its answer
    if (fuse_reply_open(request, file) != 0) mounted.listings.drop(file->fh);
  });
}

void release_folder(fuse_req_t request, fuse_ino_t /*number*/, fuse_file_info* file) {
  mounted_of(request).listings.drop(file->fh);
  refuse(request, 0);
}

// An answer to readdir or readdirplus, as it is filled.
class FolderPage {
 public:
  FolderPage(fuse_req_t request, const Node& folder, std::size_t size, bool plus)
      : request_(request), folder_(folder), plus_(plus), buffer_(size) {}

  // False when it does not fit any more. `next` is the offset of what comes after it.
  bool add(const char* name, const struct stat& status, off_t next) {
    if (!plus_) return fits(fuse_add_direntry(request_, end(), room(), name, &status, next));
    fuse_entry_param entry{};  // number 0: the kernel learns no more than the name
    entry.attr = status;
    return fits(fuse_add_direntry_plus(request_, end(), room(), name, &entry, next));
  }
  // The kernel knows the node from now on.
  bool add(FileSystem& system, const NodeFacts& facts, off_t next) {
    const char* name = facts.entry.name.c_str();
    // A folder is listed faster than the kernel can be made to forget: when there are far too many files, it learns no
    // more than their names, and asks when somebody wants the rest.
    const bool is_folder = facts.entry.type == EntryType::kFolder;
    if (!plus_ || (!is_folder && system.nodes().is_full())) return add(name, attributes_of(facts), next);
    const NodePtr node = system.nodes().look_up(facts);
    const fuse_entry_param entry = entry_of(*node, folder_);
    if (fits(fuse_add_direntry_plus(request_, end(), room(), name, &entry, next))) {
      known_.push_back(node->id);
      return true;
    }
    system.nodes().forget(node->id, 1);
    return false;
  }
  bool is_empty() const { return used_ == 0; }
  void forget(FileSystem& system) {
    for (const NodeId id : known_) system.nodes().forget(id, 1);
  }
  void reply(FileSystem& system) {
    if (fuse_reply_buf(request_, buffer_.data(), used_) != 0) forget(system);
  }

 private:
  char* end() { return buffer_.data() + used_; }
  std::size_t room() const { return buffer_.size() - used_; }
  bool fits(std::size_t size) {
    if (size > room()) return false;
    used_ += size;
    return true;
  }

  fuse_req_t request_;
  const Node& folder_;
  bool plus_;
  std::vector<char> buffer_;
  std::size_t used_ = 0;
  std::vector<NodeId> known_;
};

constexpr std::uint64_t kDots = 2;  // "." and "..", before the first entry

// What of the folder fits into `page`, from `offset` on.
Answer<void> fill(FolderPage& page, FileSystem& system, FileSystem::Listing& listing, std::uint64_t offset) {
  struct stat dot{};
  dot.st_mode = S_IFDIR;
  for (; offset < kDots; ++offset) {
    if (!page.add(offset == 0 ? "." : "..", dot, static_cast<off_t>(offset + 1))) return {};
  }
  if (listing.number() != offset - kDots) KURA_TRY(listing.go_to(offset - kDots));
  while (const NodeFacts* facts = KURA_TRY(listing.next())) {
    if (!page.add(system, *facts, static_cast<off_t>(listing.number() + kDots + 1))) return {};
    listing.take();
  }
  return {};
}

void read_folder(fuse_req_t request, std::size_t size, off_t offset, fuse_file_info* file, bool plus) {
  answer(request, [&](FileSystem& system) {
    FileSystem::Listing& listing = Handles<FileSystem::Listing>::at(file->fh);
    FolderPage page(request, listing.folder(), size, plus);
    const Answer<void> filled = [&] {
      // Not while answering: with the answer the kernel may close the folder, and the listing goes with its lock.
      const base::MutexLock lock(listing.mutex());
      return fill(page, system, listing, static_cast<std::uint64_t>(offset));
    }();
    // What came before damage is given out; the error comes with the next question.
    if (!filled && page.is_empty()) return refuse(request, filled.error());
    page.reply(system);
  });
}

void read_names(fuse_req_t request, fuse_ino_t /*number*/, std::size_t size, off_t offset, fuse_file_info* file) {
  read_folder(request, size, offset, file, false);
}

void read_entries(fuse_req_t request, fuse_ino_t /*number*/, std::size_t size, off_t offset, fuse_file_info* file) {
  read_folder(request, size, offset, file, true);
}

// An attribute's value or the list of names: its size when that is asked for, else all of it.
void reply_xattr(fuse_req_t request, std::string_view text, std::size_t room) {
  if (room == 0) {
    fuse_reply_xattr(request, text.size());
  } else if (room < text.size()) {
    refuse(request, ERANGE);
  } else {
    fuse_reply_buf(request, text.data(), text.size());
  }
}

void get_xattr(fuse_req_t request, fuse_ino_t number, const char* name, std::size_t room) {
  answer_about(request, number, [&](FileSystem&, const NodePtr& node) {
    for (const auto& [known, value] : node->entry.xattrs) {
      if (known == name) return reply_xattr(request, value, room);
    }
    refuse(request, ENODATA);
  });
}

void list_xattrs(fuse_req_t request, fuse_ino_t number, std::size_t room) {
  answer_about(request, number, [&](FileSystem&, const NodePtr& node) {
    std::string names;
    for (const auto& [name, value] : node->entry.xattrs) names.append(name).push_back('\0');
    reply_xattr(request, names, room);
  });
}

void stat_file_system(fuse_req_t request, fuse_ino_t /*number*/) {
  struct statvfs status{};
  status.f_bsize = 4096;
  status.f_frsize = 4096;
  status.f_namemax = 255;
  fuse_reply_statfs(request, &status);
}

}  // namespace

const fuse_lowlevel_ops& fuse_operations() {
  static const fuse_lowlevel_ops operations = [] {
    fuse_lowlevel_ops ops{};
    ops.init = init;
    ops.lookup = lookup;
    ops.forget = forget;
    ops.forget_multi = forget_many;
    ops.getattr = get_attributes;
    ops.readlink = read_link;
    ops.open = open_file;
    ops.read = read_file;
    ops.release = release_file;
    ops.lseek = seek;
    ops.opendir = open_folder;
    ops.readdir = read_names;
    ops.readdirplus = read_entries;
    ops.releasedir = release_folder;
    ops.getxattr = get_xattr;
    ops.listxattr = list_xattrs;
    ops.statfs = stat_file_system;
    return ops;
  }();
  return operations;
}

}  // namespace kura::mount
