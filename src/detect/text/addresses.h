// Addresses that ransom notes name, each proven by the checksum in it.
#pragma once

#include <string_view>

namespace kura::detect::text {

// 56 signs before ".onion", version 3 (Tor's rend-spec-v3, section 6).
bool is_onion_name(std::string_view name);

// base58check with versions 0 and 5, or bech32 and bech32m with "bc1" (BIP 173, BIP 350).
bool is_bitcoin_address(std::string_view address);

// By its form only: 95 or 106 signs of base58 that begin with 4 or 8. Its checksum is of a hash that no library here
// has.
bool looks_like_monero(std::string_view address);

}  // namespace kura::detect::text
