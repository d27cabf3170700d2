// Where objects lie in a folder (docs/format.md, "Objects"): <kind>/<hex name>, packs in packs/<first two digits>/.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/object.h"

namespace kura::store {

class FolderLayout {
 public:
  explicit FolderLayout(std::string folder);

  // As it was given, without slashes at the end.
  const std::string& root() const { return root_; }
  // The same folder, also where the given path is a symlink to it.
  std::string root_itself() const { return root_ + "/."; }
  std::string temporaries() const { return root_ + "/tmp"; }
  std::string read_me() const { return root_ + "/README.txt"; }
  std::string kind_folder(Kind kind) const;
  // The folder that has the object in it.
  std::string folder(Kind kind, const ObjectId& id) const;
  std::string path(Kind kind, const ObjectId& id) const;

 private:
  std::string root_;
};

// Packs are many: one more level keeps each folder small.
inline bool has_subfolders(Kind kind) { return kind == Kind::kPack; }
// Two hex digits, in lower case.
bool is_subfolder_name(std::string_view name);
// The object that a file of this name is: 64 hex digits in lower case, beginning with `prefix`.
std::optional<ObjectId> object_of(std::string_view name, std::string_view prefix);

}  // namespace kura::store
