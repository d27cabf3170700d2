#include "archive/backup/walk_plan.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string_view>

#include <fmt/format.h>

namespace kura::archive {
namespace {

base::Error no_such_path(const std::string& path) {
  const int reason = errno;
  if (reason == ENOENT || reason == ENOTDIR) {
    return {base::ErrorCode::kUsage, "cannot back up " + path + ": it does not exist", "Check the path"};
  }
  return base::Error::from_errno("cannot back up " + path, reason);
}

base::Result<std::string> real_path(const std::string& path, const std::string& given) {
  const std::unique_ptr<char, decltype(&std::free)> resolved(::realpath(path.c_str(), nullptr), &std::free);
  if (resolved == nullptr) return base::fail(no_such_path(given));
  return std::string(resolved.get());
}

base::Result<std::string> make_absolute(const std::string& given) {
  if (given.empty()) return base::fail(base::ErrorCode::kUsage, "cannot back up an empty path");
  const std::size_t slash = given.rfind('/');
  const std::string last = slash == std::string::npos ? given : given.substr(slash + 1);
  if (last.empty() || last == "." || last == "..") return real_path(given, given);
  const std::string above = slash == std::string::npos ? "." : given.substr(0, slash + 1);
  std::string path = KURA_TRY(real_path(above, given));
  if (path != "/") path += '/';
  path += last;
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) return base::fail(no_such_path(given));
  return path;
}

void add(PlanNode& root, std::string_view path) {
  PlanNode* node = &root;
  path.remove_prefix(1);
  while (!path.empty() && !node->whole) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    node = &node->members[std::string(path.substr(0, slash))];
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  node->whole = true;
  node->members.clear();
}

void collect(const PlanNode& node, const std::string& path, std::vector<std::string>& out) {
  if (node.whole) return out.push_back(path.empty() ? "/" : path);
  for (const auto& [name, member] : node.members) collect(member, fmt::format("{}/{}", path, name), out);
}

}  // namespace

base::Result<WalkPlan> plan_walk(const std::vector<std::string>& paths) {
  if (paths.empty()) return base::fail(base::ErrorCode::kUsage, "no path to back up is given");
  WalkPlan plan;
  for (const std::string& given : paths) add(plan.root, KURA_TRY(make_absolute(given)));
  collect(plan.root, "", plan.paths);
  std::ranges::sort(plan.paths);
  return plan;
}

}  // namespace kura::archive
