// TCP connections that this machine's kernel has, cut from outside of the programs that hold them (sock_diag(7)).
// Needs CAP_NET_ADMIN.
#pragma once

#include <cstdint>
#include <optional>

#include "base/error.h"
#include "door/address.h"

namespace kura::door {

// Cuts all connections to the local `port`, of one address or of every one; both sides see a reset. How many there
// were. kUnsupported on a kernel that cannot.
base::Result<std::size_t> cut_connections(std::uint16_t port, const std::optional<Address>& from);

}  // namespace kura::door
