// What the vault's APIs say of its door (docs/vault-api.md).
#pragma once

#include <string>

#include <boost/json/object.hpp>

#include "net/server.h"
#include "vault/door/doorkeeper.h"

namespace kura::vault {

// The operator's calls: "open", "close", "schedule", "status". `door` is null for a vault that has none.
base::Result<net::Answer> answer_door(Doorkeeper* door, const std::string& what, const boost::json::object& asked);
// For a machine whose door is not open: others may come from the same address.
net::Answer door_is_shut();

}  // namespace kura::vault
