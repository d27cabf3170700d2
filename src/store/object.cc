#include "store/object.h"

#include <utility>

namespace kura::store {

std::string_view folder_of(Kind kind) {
  switch (kind) {
    case Kind::kConfig:
      return "config";
    case Kind::kKey:
      return "keys";
    case Kind::kPack:
      return "packs";
    case Kind::kIndex:
      return "index";
    case Kind::kSnapshot:
      return "snapshots";
    case Kind::kLease:
      return "leases";
    case Kind::kCondemned:
      return "condemned";
    case Kind::kParity:
      return "parity";
  }
  std::unreachable();
}

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::kConfig:
      return "config";
    case Kind::kKey:
      return "key";
    case Kind::kPack:
      return "pack";
    case Kind::kIndex:
      return "index";
    case Kind::kSnapshot:
      return "snapshot";
    case Kind::kLease:
      return "lease";
    case Kind::kCondemned:
      return "condemned list";
    case Kind::kParity:
      return "parity";
  }
  std::unreachable();
}

}  // namespace kura::store
