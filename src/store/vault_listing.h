// A vault's list of objects (docs/vault-api.md), read without believing any of it.
#pragma once

#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/object.h"

namespace kura::store {

// A line an object: its name in hex, its size in bytes, when it was received in ns since 1970, and "barred" when it is.
// kDamaged when it is malformed.
base::Result<std::vector<ObjectInfo>> parse_vault_listing(std::string_view text);

}  // namespace kura::store
