// A repository in a vault (docs/vault-api.md): https://HOST:PORT/NAME.
//
// The vault keeps what a store promises, and believes nothing: it checks each object against its name, and a snapshot
// against what it needs. Nothing can be changed or removed there but the machine's own leases; put() of a snapshot ends
// when the vault has written it into its journal, and the receipt is added to FOLDER/receipts-NAME.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "base/error.h"
#include "pki/knock.h"
#include "store/store.h"
#include "store/vault/address.h"

namespace kura::store {

// `state_folder`: of this machine, with its identity at the vault. kDenied when it was not enrolled, or not any more.
base::Result<std::unique_ptr<Store>> open_vault_store(const vault::Address& address, const std::string& state_folder,
                                                      const std::stop_token& stop,
                                                      std::optional<std::chrono::seconds> patience,
                                                      pki::KnockPurpose purpose = pki::KnockPurpose::kJob);

}  // namespace kura::store
