#include "archive/restore/find.h"

#include <utility>
#include <vector>

#include "archive/restore/selection.h"
#include "base/codec.h"
#include "crypto/hash.h"

namespace kura::archive {
namespace {

using base::Result;
using base::Status;

// What a folder's matches depend on: patterns look at whole paths, so a folder that was moved counts as another.
base::Digest key_of(const std::string& path, const ContentRef& content) {
  base::Encoder out;
  out.string(path);
  content.encode(out);
  return crypto::sha256(out.bytes());
}

}  // namespace

Status Finder::search(PackReader& reader, const ContentRef& root,
                      const std::function<Status(const std::string& path, const Entry&)>& visit,
                      const std::function<void(const std::string& path, const base::Error&)>& damaged) {
  struct Level {
    std::size_t path_size;
    base::Digest key;
    bool is_interesting;  // something in it matches or is damaged
  };
  std::vector<Level> levels;
  const auto leave = [&] {
    const Level level = levels.back();
    levels.pop_back();
    if (!level.is_interesting) without_.insert(level.key);
    if (level.is_interesting && !levels.empty()) levels.back().is_interesting = true;
  };
  const auto leave_down_to = [&](std::size_t path_size) {
    while (levels.size() > 1 && levels.back().path_size > path_size) leave();
  };

  Entry start;
  start.type = EntryType::kFolder;
  start.content = root;
  levels.push_back({0, key_of("/", root), false});
  if (without_.contains(levels.back().key)) return {};
  KURA_TRY(walk_tree(
      reader, start, "/",
      [&](const std::string& path, const Entry& entry) -> Result<Visit> {
        leave_down_to(parent_size(path, entry));
        const bool is_folder = entry.type == EntryType::kFolder;
        if (pattern_.matches(path, is_folder)) {
          levels.back().is_interesting = true;
          KURA_TRY(visit(path, entry));
        }
        if (!is_folder) return Visit::kContinue;
        const base::Digest key = key_of(path, entry.content);
        if (without_.contains(key)) return Visit::kSkipFolder;
        levels.push_back({path.size(), key, false});
        return Visit::kContinue;
      },
      [&](const std::string& path, const base::Error& error) {
        leave_down_to(path == "/" ? 0 : path.size());
        levels.back().is_interesting = true;
        damaged(path, error);
      }));
  while (!levels.empty()) leave();
  return {};
}

}  // namespace kura::archive
