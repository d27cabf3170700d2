#include "archive/backup/lineage.h"

#include <iterator>

#include "detect/judge/names.h"

namespace kura::archive {

void Lineage::went(std::string_view path, std::uint64_t inode, const JudgedVersion& judged) {
  const std::size_t slash = path.rfind('/');
  const std::string_view folder = path.substr(0, slash);
  if (folder != folder_) {
    gone_.clear();
    inodes_.clear();
    sizes_.clear();
    folder_ = folder;
  }
  if (gone_.size() >= kMost) return;
  const std::string name(path.substr(slash + 1));
  gone_.insert_or_assign(name, judged);
  inodes_.insert_or_assign(inode, name);
  sizes_.emplace(judged.size, name);
}

const JudgedVersion* Lineage::before(std::string_view path) const {
  const std::size_t slash = path.rfind('/');
  if (gone_.empty() || path.substr(0, slash) != folder_) return nullptr;
  if (detect::says_its_kind(path)) return nullptr;
  for (const std::string& name : detect::names_before(path.substr(slash + 1))) {
    if (const auto found = gone_.find(name); found != gone_.end()) return &found->second;
  }
  return nullptr;
}

const JudgedVersion* Lineage::moved(std::string_view path, std::uint64_t inode, std::uint64_t size) const {
  if (path.substr(0, path.rfind('/')) != folder_) return nullptr;
  if (const auto name = inodes_.find(inode); name != inodes_.end()) return &gone_.at(name->second);
  const auto [first, last] = sizes_.equal_range(size);
  return first != last && std::next(first) == last ? &gone_.at(first->second) : nullptr;
}

}  // namespace kura::archive
