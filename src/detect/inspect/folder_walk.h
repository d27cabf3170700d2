// The regular files below a path, folder by folder, in the order of their names. Links are not followed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"

namespace kura::detect {

struct FoundFile {
  std::string name;
  std::uint64_t size = 0;
};

// Told of each folder (a path below the walk's root, "" for the root itself) with its regular files, sorted by name,
// before the folders in it. An error ends the walk.
using OnFolder = std::function<base::Status(const std::string& folder, const std::vector<FoundFile>& files)>;
// Told of what could not be read; the walk goes on.
using OnUnreadable = std::function<void(const std::string& path, const base::Error& error)>;

// `root` must be a folder. Memory: the names of one folder, and of folders that wait.
base::Status walk_folders(const std::string& root, const OnFolder& on_folder, const OnUnreadable& on_unreadable);

// The regular files of one folder, sorted; none when it is not there.
base::Result<std::vector<FoundFile>> files_in(const std::string& folder);

// "a/b", and only one of them when the other is empty.
std::string joined(std::string_view folder, std::string_view name);

}  // namespace kura::detect
