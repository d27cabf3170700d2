#include "archive/restore/target_tree.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/escape.h"
#include "crypto/hash.h"

namespace kura::archive {
namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;

constexpr std::size_t kOpenFolders = 256;
constexpr int kFolderFlags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

SharedFd share(int fd) { return std::make_shared<const base::UniqueFd>(fd); }

std::string proc_path(int fd) { return fmt::format("/proc/self/fd/{}", fd); }

bool has_default_acl(int fd) { return ::getxattr(proc_path(fd).c_str(), "system.posix_acl_default", nullptr, 0) > 0; }

}  // namespace

FolderRef::~FolderRef() {
  if (folder_ == nullptr || folder_->shares.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  folder_->tree->complete(std::unique_ptr<TargetFolder>(folder_));
}

TargetTree::TargetTree(std::string target, std::string source, bool dry_run, const MetadataWriter& metadata,
                       RestoreReport& report)
    : target_(std::move(target)),
      source_(std::move(source)),
      dry_run_(dry_run),
      metadata_(metadata),
      report_(report),
      open_(kOpenFolders) {
  root_.tree = this;
  root_.shares = 1;
}

Result<std::unique_ptr<TargetTree>> TargetTree::open(const std::string& target, const std::string& source, bool dry_run,
                                                     const MetadataWriter& metadata, RestoreReport& report) {
  if (target.empty()) return base::fail(ErrorCode::kUsage, "no target folder was given", "name one with --target");
  std::unique_ptr<TargetTree> tree(new TargetTree(target, source, dry_run, metadata, report));
  std::error_code problem;
  const bool made = dry_run ? false : std::filesystem::create_directories(target, problem);
  if (problem) return base::fail(Error::from_errno(fmt::format("cannot make the folder {}", target), problem.value()));
  tree->root_.fresh = made;

  tree->root_fd_ = share(::open(target.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!*tree->root_fd_) {
    if (dry_run && errno == ENOENT) {
      tree->root_.absent = true;
      return tree;
    }
    return base::fail(Error::from_errno(fmt::format("cannot open the folder {}", target), errno));
  }
  const int fd = tree->root_fd_->get();
  // Two restores into one folder would take each other's temporaries. Where the file system has no locks, none.
  if (!dry_run && ::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return base::fail(ErrorCode::kConflict, fmt::format("another restore is writing into {}", target),
                      "wait for it to end, or choose another target");
  }
  struct stat status{};
  if (::fstat(fd, &status) != 0) return base::fail(Error::from_errno(fmt::format("cannot look at {}", target), errno));
  tree->root_.device = status.st_dev;
  tree->root_.inode = status.st_ino;
  tree->root_.default_acl = has_default_acl(fd);
  return tree;
}

Result<FolderRef> TargetTree::make_folder(const FolderRef& parent, const std::string& name, bool replace) {
  if (dry_run_) {
    const Existing existing = KURA_TRY(look(*parent, name));
    if (existing.there && S_ISDIR(existing.status.st_mode)) return adopt(parent, name, false);
    FolderRef folder(new TargetFolder{.tree = this, .parent = parent, .name = name});
    folder->absent = true;
    return folder;
  }
  const SharedFd at = KURA_TRY(fd(*parent));
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (::mkdirat(at->get(), name.c_str(), 0700) == 0) return adopt(parent, name, true);
    if (errno != EEXIST) return base::fail(error("make the folder", *parent, name, errno));
    const Existing existing = KURA_TRY(look(*parent, name));
    if (existing.there && S_ISDIR(existing.status.st_mode)) return adopt(parent, name, false);
    if (!replace) {
      return base::fail(ErrorCode::kExists, fmt::format("{} is there, and is no folder", target_path(*parent, name)),
                        "restore with --overwrite changed to replace it");
    }
    if (existing.there && ::unlinkat(at->get(), name.c_str(), 0) != 0 && errno != ENOENT) {
      return base::fail(error("remove", *parent, name, errno));
    }
  }
  return base::fail(error("make the folder", *parent, name, EEXIST));
}

Result<FolderRef> TargetTree::find_folder(const FolderRef& parent, const std::string& name) {
  return adopt(parent, name, false);
}

Result<FolderRef> TargetTree::adopt(const FolderRef& parent, const std::string& name, bool fresh) {
  const SharedFd at = KURA_TRY(fd(*parent));
  const SharedFd opened = share(::openat(at->get(), name.c_str(), O_PATH | kFolderFlags));
  struct stat status{};
  if (!*opened || ::fstat(opened->get(), &status) != 0)
    return base::fail(error("open the folder", *parent, name, errno));

  FolderRef folder(new TargetFolder{.tree = this, .parent = parent, .name = name});
  folder->device = status.st_dev;
  folder->inode = status.st_ino;
  folder->fresh = fresh;
  if (fresh && parent->default_acl) {
    static_cast<void>(::removexattr(proc_path(opened->get()).c_str(), "system.posix_acl_default"));
    static_cast<void>(::removexattr(proc_path(opened->get()).c_str(), "system.posix_acl_access"));
  } else if (!fresh) {
    folder->default_acl = has_default_acl(opened->get());
  }
  const bool is_locked_out = (status.st_mode & S_IRWXU) != S_IRWXU;
  if (!fresh && !dry_run_ && is_locked_out && status.st_uid == ::geteuid() && ::geteuid() != 0) {
    if (::chmod(proc_path(opened->get()).c_str(), (status.st_mode & 07777) | S_IRWXU) == 0) {
      folder->mode_to_return = status.st_mode & 07777;
    }
  }
  open_.insert(folder.get(), opened);
  return folder;
}

Result<SharedFd> TargetTree::fd(const TargetFolder& folder) {
  if (!folder.parent) return root_fd_;
  if (SharedFd known = open_.find(&folder)) return known;
  // Up to the nearest folder that is open, and down again.
  std::vector<const TargetFolder*> closed;
  SharedFd at;
  for (const TargetFolder* above = &folder; !at; above = above->parent.get()) {
    at = !above->parent ? root_fd_ : open_.find(above);
    if (!at) closed.push_back(above);
  }
  for (; !closed.empty(); closed.pop_back()) at = KURA_TRY(open_below(at->get(), *closed.back()));
  return at;
}

Result<SharedFd> TargetTree::open_below(int parent_fd, const TargetFolder& folder) {
  SharedFd opened = share(::openat(parent_fd, folder.name.c_str(), O_PATH | kFolderFlags));
  struct stat status{};
  if (!*opened || ::fstat(opened->get(), &status) != 0) {
    return base::fail(error("open the folder", *folder.parent, folder.name, errno));
  }
  if (status.st_dev != folder.device || status.st_ino != folder.inode) {
    return base::fail(ErrorCode::kConflict,
                      fmt::format("{} was replaced by another folder meanwhile", target_path(folder, "")),
                      "restore again when nobody else writes there");
  }
  open_.insert(&folder, opened);
  return opened;
}

Result<Existing> TargetTree::look(const TargetFolder& folder, const std::string& name) {
  Existing existing;
  if (folder.absent) return existing;
  const SharedFd at = KURA_TRY(fd(folder));
  if (::fstatat(at->get(), name.c_str(), &existing.status, AT_SYMLINK_NOFOLLOW) == 0) {
    existing.there = true;
  } else if (errno != ENOENT) {
    return base::fail(error("look at", folder, name, errno));
  }
  return existing;
}

Status TargetTree::put_in_place(const TargetFolder& folder, const std::string& temporary, const std::string& name) {
  const SharedFd at = KURA_TRY(fd(folder));
  if (::renameat(at->get(), temporary.c_str(), at->get(), name.c_str()) == 0) return {};
  int failure = errno;
  if (failure == EISDIR || failure == EEXIST || failure == ENOTEMPTY) {
    if (::unlinkat(at->get(), name.c_str(), AT_REMOVEDIR) == 0 &&
        ::renameat(at->get(), temporary.c_str(), at->get(), name.c_str()) == 0) {
      return {};
    }
    failure = errno;
  }
  static_cast<void>(::unlinkat(at->get(), temporary.c_str(), 0));
  if (failure == ENOTEMPTY || failure == EEXIST) {
    return base::fail(ErrorCode::kExists, fmt::format("{} is a folder with something in it", target_path(folder, name)),
                      "move it away and restore again");
  }
  return base::fail(error("put in place", folder, name, failure));
}

void TargetTree::complete(std::unique_ptr<TargetFolder> folder) {
  // Not by the share that the folder has in the one above: calls would nest as deep as the folders.
  while (folder) {
    finish(*folder);
    open_.erase(folder.get());
    TargetFolder* const parent = std::exchange(folder->parent.folder_, nullptr);
    const bool is_last = parent->shares.fetch_sub(1, std::memory_order_acq_rel) == 1;
    folder.reset(is_last ? parent : nullptr);
  }
}

void TargetTree::finish_root() { finish(root_); }

void TargetTree::finish(TargetFolder& folder) {
  if (dry_run_) return;
  if (report_.stopped()) folder.metadata.reset();
  const Status status = apply(folder);
  if (status) return;
  report_.problem(source_path(folder, ""), Error(status.error()).within(target_path(folder, "")));
}

Status TargetTree::apply(const TargetFolder& folder) {
  if (!folder.metadata && !folder.mode_to_return) return {};
  // As a descriptor for reading, which attributes need; "." of the one that is known to be the right one.
  const SharedFd at = KURA_TRY(fd(folder));
  const base::UniqueFd opened(::openat(at->get(), ".", O_RDONLY | kFolderFlags));
  if (!opened) return base::fail(error("open the folder", folder, "", errno));
  if (folder.metadata) return metadata_.apply(opened.get(), EntryType::kFolder, *folder.metadata, !folder.fresh);
  if (::fchmod(opened.get(), *folder.mode_to_return) == 0) return {};
  return base::fail(error("set the mode of", folder, "", errno));
}

std::string TargetTree::path_below(const std::string& start, const TargetFolder& folder,
                                   const std::string& name) const {
  std::vector<const std::string*> names;
  if (!name.empty()) names.push_back(&name);
  for (const TargetFolder* above = &folder; above->parent; above = above->parent.get()) names.push_back(&above->name);
  std::string path = start;
  for (; !names.empty(); names.pop_back()) {
    if (!path.ends_with('/')) path += '/';
    path += *names.back();
  }
  return path;
}

std::string TargetTree::target_path(const TargetFolder& folder, const std::string& name) const {
  return base::printable(path_below(target_, folder, name));
}

std::string TargetTree::source_path(const TargetFolder& folder, const std::string& name) const {
  return path_below(source_, folder, name);
}

Error TargetTree::error(std::string_view action, const TargetFolder& folder, const std::string& name,
                        int errno_value) const {
  return Error::from_errno(fmt::format("cannot {} {}", action, target_path(folder, name)), errno_value);
}

std::string TargetTree::temporary_for(const std::string& name) {
  return ".kura-restore-" + base::to_hex(crypto::sha256(base::as_bytes(name)).span().first(16));
}

}  // namespace kura::archive
