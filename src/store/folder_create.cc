#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "store/atomic_file.h"
#include "store/folder_layout.h"
#include "store/folder_store.h"

namespace kura::store {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;

constexpr std::string_view kReadMe =
    "This folder is a Kuramori repository: encrypted backups, written and read by the program `kura`.\n"
    "\n"
    "Do not edit, rename or delete anything in here: every file is named by the SHA-256 of its bytes, and a\n"
    "changed file is a damaged backup. To copy the repository, copy the whole folder, or use `kura copy`.\n"
    "To see whether it is whole: `kura check -r FOLDER`.\n"
    "\n"
    "The format of every file is described in docs/format.md of Kuramori; what is stored can be read back with\n"
    "the recovery key and that description alone.\n";

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  const std::size_t end = path.find_last_not_of('/', slash);
  return end == std::string::npos ? "/" : path.substr(0, end + 1);
}

// A folder may lie in one that its owner may not read, which then cannot be synced.
Status sync_name_of(FileSystem& files, const std::string& path) {
  Status status = files.sync_folder(parent_of(path) + "/.");
  if (!status && status.error().code() == ErrorCode::kDenied) return {};
  return status;
}

// Like `mkdir -p`, with the names durable: also of what was there before, since whoever made it may have been killed
// before syncing it.
Status make_path(FileSystem& files, const std::string& path) {
  const auto here = files.stat(path + "/.");
  if (!here && here.error().code() != ErrorCode::kNotFound) return base::fail(here.error());
  const std::string parent = parent_of(path);
  if (parent == path) return {};  // "/" or "."
  KURA_TRY(make_path(files, parent));
  if (!here) KURA_TRY(files.make_folder(path));
  return sync_name_of(files, path);
}

// Nothing, or what mkfs leaves in a new file system.
bool is_empty(const std::vector<FileSystem::Entry>& entries) {
  return std::ranges::all_of(entries, [](const FileSystem::Entry& entry) { return entry.name == "lost+found"; });
}

// The config folder first, and durably: it is what marks the folder as ours, so that a create() that a crash cut
// short can be run again.
Status mark_as_store(FileSystem& files, const FolderLayout& layout) {
  const std::string config = layout.kind_folder(Kind::kConfig);
  const auto there = files.stat(config);
  if (!there && !is_empty(KURA_TRY(files.list(layout.root_itself())))) {
    return base::fail(ErrorCode::kExists, fmt::format("{} is not empty and is not a repository", layout.root()),
                      "choose a new or an empty folder");
  }
  KURA_TRY(files.make_folder(config));
  return files.sync_folder(layout.root_itself());
}

Status write_read_me(FileSystem& files, const FolderLayout& layout) {
  if (files.stat(layout.read_me())) return {};
  const base::ByteSpan parts[] = {base::as_bytes(kReadMe)};
  return write_atomically(files, layout.temporaries() + "/" + temporary_name(), layout.read_me(), parts);
}

Status prepare(FileSystem& files, const FolderLayout& layout) {
  KURA_TRY(make_path(files, layout.root()));
  KURA_TRY(mark_as_store(files, layout));
  for (const Kind kind : kAllKinds) KURA_TRY(files.make_folder(layout.kind_folder(kind)));
  KURA_TRY(files.make_folder(layout.temporaries()));
  KURA_TRY(write_read_me(files, layout));
  return files.sync_folder(layout.root_itself());
}

}  // namespace

Result<std::unique_ptr<Store>> create_folder_store(const std::string& folder, FileSystem& files) {
  const FolderLayout layout(folder);
  KURA_TRY_AS(prepare(files, layout), fmt::format("cannot make a repository in {}", layout.root()));
  return open_folder_store(folder, files);
}

}  // namespace kura::store
