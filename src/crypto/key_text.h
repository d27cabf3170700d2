// Public keys as people write them down.
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "crypto/keys.h"

namespace kura::crypto {

// Of exactly 64 hex digits.
inline std::optional<PublicKey> public_key_from_hex(std::string_view hex) {
  const auto bytes = base::from_hex(hex);
  PublicKey key{};
  if (!bytes || bytes->size() != key.size()) return std::nullopt;
  std::ranges::copy(*bytes, key.begin());
  return key;
}

}  // namespace kura::crypto
