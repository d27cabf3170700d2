// What a new file was before: one that went from its folder, when the new name is that one's with something behind it,
// or when it is that very file, or one of its size, under another name.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "archive/backup/file_judge.h"

namespace kura::archive {

// Used by the walking thread alone. A name comes after the one that it is longer than, so the walk has passed over that
// one when it asks. Memory: at most kMost files of one folder.
class Lineage {
 public:
  static constexpr std::size_t kMost = 4096;

  // A file of the backup before that is not there now; `path` is absolute.
  void went(std::string_view path, std::uint64_t inode, const JudgedVersion& judged);
  // The one that `path` was, or null: "report.docx" of "report.docx.locked". Valid until the next call.
  const JudgedVersion* before(std::string_view path) const;
  // The one that had this inode, else the only one that had this size (in bytes), or null. It may be another file:
  // numbers come again. Only names that come after its own are found so, half of those that are drawn by lot.
  const JudgedVersion* moved(std::string_view path, std::uint64_t inode, std::uint64_t size) const;

 private:
  std::string folder_;
  std::map<std::string, JudgedVersion, std::less<>> gone_;  // by name, in folder_
  std::map<std::uint64_t, std::string> inodes_;             // their names
  std::multimap<std::uint64_t, std::string> sizes_;         // their names
};

}  // namespace kura::archive
