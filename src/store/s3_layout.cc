#include "store/s3_layout.h"

#include <algorithm>

#include "store/folder_layout.h"

namespace kura::store {

std::string S3Layout::kind_prefix(Kind kind) const { return prefix_ + std::string(folder_of(kind)) + "/"; }

std::string S3Layout::key(Kind kind, const ObjectId& id) const {
  const std::string name = id.hex();
  return kind_prefix(kind) + (has_subfolders(kind) ? name.substr(0, 2) + "/" : "") + name;
}

std::optional<ObjectId> S3Layout::object(Kind kind, std::string_view key) const {
  if (key.size() < base::Digest().bytes.size() * 2) return std::nullopt;
  const auto id = object_of(key.substr(key.size() - base::Digest().bytes.size() * 2), "");
  return id && this->key(kind, *id) == key ? id : std::nullopt;
}

bool S3Layout::is_of_a_kind(std::string_view key) const {
  return std::ranges::any_of(kAllKinds, [&](Kind kind) { return key.starts_with(kind_prefix(kind)); });
}

}  // namespace kura::store
