// Where objects lie in a bucket: PREFIX/KIND/HEX, packs at PREFIX/packs/HH/HEX: as in a folder (folder_layout.h).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/object.h"

namespace kura::store {

class S3Layout {
 public:
  // `key_prefix` is empty or ends with a slash.
  explicit S3Layout(std::string key_prefix) : prefix_(std::move(key_prefix)) {}

  const std::string& prefix() const { return prefix_; }
  std::string kind_prefix(Kind kind) const;
  std::string key(Kind kind, const ObjectId& id) const;
  // The object of this kind that a key names, if it does.
  std::optional<ObjectId> object(Kind kind, std::string_view key) const;
  // Whether a key lies where objects of some kind do.
  bool is_of_a_kind(std::string_view key) const;

 private:
  std::string prefix_;
};

}  // namespace kura::store
