// What a request below /v1/repositories/NAME asks for, by its path.
#pragma once

#include <optional>
#include <string_view>

#include "store/object.h"

namespace kura::vault {

struct Route {
  std::string_view action;  // "packs", "journal", "sync"
  std::optional<store::Kind> kind = {};
  std::optional<store::ObjectId> id = {};
  std::string_view detail = {};  // of an object: "copies"
  bool has_more = false;         // of a path than is understood
};

// The next part of a path, which it is taken from.
std::string_view next_part(std::string_view& path);

// Of what follows the name, "/packs/HEX" say, which it takes.
Route route_of(std::string_view path);

}  // namespace kura::vault
