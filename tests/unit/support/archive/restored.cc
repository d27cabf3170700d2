#include "support/archive/restored.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "crypto/hash.h"

namespace kura::archive::test {
namespace {

std::string attributes_of(const std::string& path) {
  std::string names(65536, '\0');
  const ssize_t size = ::llistxattr(path.c_str(), names.data(), names.size());
  if (size <= 0) return "";
  std::set<std::string> lines;
  for (std::size_t at = 0; at < static_cast<std::size_t>(size);) {
    const std::string name = names.c_str() + at;
    at += name.size() + 1;
    std::string value(65536, '\0');
    const ssize_t length = ::lgetxattr(path.c_str(), name.c_str(), value.data(), value.size());
    value.resize(length < 0 ? 0 : static_cast<std::size_t>(length));
    lines.insert(name + "=" + base::to_hex(base::as_bytes(value)));
  }
  return fmt::format("{}", fmt::join(lines, ","));
}

}  // namespace

Restored restore(const Repository& repository, const StoredSnapshot& snapshot, const RestoreOptions& options,
                 std::stop_token stop) {
  base::Progress progress;
  std::map<std::string, base::Error> problems;
  auto summary = run_restore(
      repository, snapshot, options, progress,
      [&](const std::string& path, const base::Error& error) { problems.emplace(path, error); }, std::move(stop));
  return {std::move(summary), std::move(problems)};
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream all;
  all << in.rdbuf();
  return all.str();
}

void write_file(const std::string& path, std::string_view bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  ASSERT_TRUE(out.flush().good()) << path;
}

std::map<std::string, std::string> describe_tree(const std::string& folder) {
  std::map<std::string, std::string> tree;
  std::map<ino_t, std::string> first_names;
  std::set<std::string> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) paths.insert(entry.path().string());
  for (const std::string& path : paths) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) {
      ADD_FAILURE() << path;
      continue;
    }
    if (S_ISSOCK(status.st_mode)) continue;
    const std::string name = path.substr(folder.size() + 1);
    std::string line = fmt::format("mode {:o} owner {}:{} time {}.{:09}", status.st_mode, status.st_uid, status.st_gid,
                                   status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    if (S_ISREG(status.st_mode)) {
      const std::string bytes = read_file(path);
      line += fmt::format(" size {} sha {}", status.st_size, crypto::sha256(base::as_bytes(bytes)).hex());
    }
    if (S_ISLNK(status.st_mode)) line += " target " + std::filesystem::read_symlink(path).string();
    if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) line += fmt::format(" device {}", status.st_rdev);
    if (!S_ISDIR(status.st_mode) && status.st_nlink > 1) {
      line += " links " + first_names.emplace(status.st_ino, name).first->second;
    }
    line += " " + attributes_of(path);
    tree.emplace(name, line);
  }
  return tree;
}

}  // namespace kura::archive::test
