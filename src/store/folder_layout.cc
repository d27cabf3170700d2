#include "store/folder_layout.h"

#include <algorithm>
#include <utility>

namespace kura::store {

FolderLayout::FolderLayout(std::string folder) : root_(std::move(folder)) {
  while (root_.size() > 1 && root_.ends_with('/')) root_.pop_back();
}

std::string FolderLayout::kind_folder(Kind kind) const { return root_ + "/" + std::string(folder_of(kind)); }

std::string FolderLayout::folder(Kind kind, const ObjectId& id) const {
  const std::string folder = kind_folder(kind);
  return has_subfolders(kind) ? folder + "/" + id.hex().substr(0, 2) : folder;
}

std::string FolderLayout::path(Kind kind, const ObjectId& id) const { return folder(kind, id) + "/" + id.hex(); }

bool is_subfolder_name(std::string_view name) {
  return name.size() == 2 &&
         std::ranges::all_of(name, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::optional<ObjectId> object_of(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  const std::optional<ObjectId> id = base::Digest::from_hex(name);
  // An upper-case name is no object: it would be listed and then not be found.
  if (!id || id->hex() != name) return std::nullopt;
  return id;
}

}  // namespace kura::store
