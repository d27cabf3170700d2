#include "detect/inspect/folder_walk.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace kura::detect {
namespace {

namespace fs = std::filesystem;

struct Listing {
  std::vector<FoundFile> files;
  std::vector<std::string> folders;
};

base::Error unreadable(const std::string& path, const std::error_code& code) {
  return base::Error::from_errno("cannot read " + path, code.value());
}

// Adds one entry; what went meanwhile is left out.
void add_entry(Listing& listing, const fs::directory_entry& entry) {
  std::error_code code;
  const fs::file_status status = entry.symlink_status(code);
  if (code) return;
  const std::string name = entry.path().filename().string();
  if (fs::is_directory(status)) {
    listing.folders.push_back(name);
  } else if (fs::is_regular_file(status)) {
    const std::uintmax_t size = entry.file_size(code);
    if (!code) listing.files.push_back({name, size});
  }
}

base::Result<Listing> list(const std::string& folder) {
  Listing listing;
  std::error_code code;
  fs::directory_iterator entries(folder, code);
  for (; !code && entries != fs::directory_iterator(); entries.increment(code)) add_entry(listing, *entries);
  if (code) return base::fail(unreadable(folder, code));
  std::ranges::sort(listing.files, {}, &FoundFile::name);
  std::ranges::sort(listing.folders, std::ranges::greater());  // taken from the back
  return listing;
}

}  // namespace

std::string joined(std::string_view folder, std::string_view name) {
  if (folder.empty() || name.empty()) return std::string(folder.empty() ? name : folder);
  return std::string(folder) + (folder.ends_with('/') ? "" : "/") + std::string(name);
}

base::Result<std::vector<FoundFile>> files_in(const std::string& folder) {
  std::error_code code;
  if (!fs::is_directory(folder, code)) return std::vector<FoundFile>();
  return KURA_TRY(list(folder)).files;
}

base::Status walk_folders(const std::string& root, const OnFolder& on_folder, const OnUnreadable& on_unreadable) {
  std::vector<std::string> waiting = {""};
  while (!waiting.empty()) {
    const std::string folder = std::move(waiting.back());
    waiting.pop_back();
    auto listing = list(joined(root, folder));
    if (!listing) {
      on_unreadable(joined(root, folder), listing.error());
      continue;
    }
    KURA_TRY(on_folder(folder, listing->files));
    for (const std::string& name : listing->folders) waiting.push_back(joined(folder, name));
  }
  return {};
}

}  // namespace kura::detect
