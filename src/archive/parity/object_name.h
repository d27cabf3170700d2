// An object of a store by its kind and id.
#pragma once

#include <compare>

#include "store/object.h"

namespace kura::archive {

struct ObjectName {
  store::Kind kind = store::Kind::kPack;
  store::ObjectId id;

  friend auto operator<=>(const ObjectName&, const ObjectName&) = default;
};

}  // namespace kura::archive
