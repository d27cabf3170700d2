// Knocks at a vault's door (pki/knock.h), as the machine that was enrolled there.
//
// The file FOLDER/door of an identity says that the vault has a door, and which counter was used last. It is locked
// while one is taken, so that programs beside each other never use the same.
#pragma once

#include <string>
#include <utility>

#include "base/error.h"
#include "pki/knock.h"
#include "store/vault/address.h"

namespace kura::store::vault {

class Knocker {
 public:
  // `folder`: of the identity.
  Knocker(Address address, std::string folder, pki::KnockPurpose purpose)
      : address_(std::move(address)), folder_(std::move(folder)), purpose_(purpose) {}

  bool has_door() const;
  // Sends a knock to each address that the vault's name has. Whether it was heard, nobody says. kDamaged for an
  // identity that is none, kIo.
  base::Status knock() const;

 private:
  base::Result<std::uint64_t> next_counter() const;

  const Address address_;
  const std::string folder_;
  const pki::KnockPurpose purpose_;
};

// Writes down in an identity's folder that the vault has a door, or has none.
base::Status remember_door(const std::string& folder, bool has_door);

}  // namespace kura::store::vault
