// What a followed vault answers, read without believing any of it: whoever is root there can say anything.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "crypto/keys.h"

namespace kura::vault {

// Who a vault says it is, and what it has.
struct VaultCard {
  std::string name;
  crypto::PublicKey key{};  // that its journals are signed with
  std::vector<std::string> repositories;
};

inline constexpr std::size_t kVaultCardLimit = 1U << 20;  // bytes
inline constexpr std::size_t kMostRepositories = 1000;

// kDamaged when it is malformed, names what can be no name, or more than kMostRepositories.
base::Result<VaultCard> parse_vault_card(std::string_view body);

// The entries of a piece of a journal, views of it. kDamaged when they do not fill it.
base::Result<std::vector<base::ByteSpan>> split_entries(base::ByteSpan piece);

}  // namespace kura::vault
