// How a machine becomes one of a vault's, and stays one.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>

#include "base/error.h"
#include "store/vault/address.h"
#include "store/vault/service.h"

namespace kura::store::vault {

struct Enrolled {
  std::string machine;     // as the vault calls it
  std::string repository;  // that it may use
  bool has_door = false;   // the vault
};

// With a token from `kura-vault enrol`, which works once. Makes a key that never leaves this machine, has it certified,
// and leaves the identity in `folder` (Address::identity_folder), over what was there. The vault is trusted by the
// fingerprint in the token. kUsage for a token that is none; kDenied when the server is another than the token says,
// or does not accept it.
base::Result<Enrolled> enrol(const Address& address, std::string_view token, const std::string& folder,
                             const std::stop_token& stop);

// Gets a new key and certificate when the one there ends within 30 days of `now`; does nothing otherwise. Whoever is
// refused goes on with the old one while it lasts.
base::Status renew_when_due(Service& service, const std::string& folder, std::int64_t now);

}  // namespace kura::store::vault
