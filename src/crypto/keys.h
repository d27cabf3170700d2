// Key pairs: Ed25519 signatures (RFC 8032) and HPKE boxes to an X25519 key (RFC 9180, base mode, single shot,
// DHKEM(X25519, HKDF-SHA256) + HKDF-SHA256 + ChaCha20-Poly1305: suite 0x0020, 0x0001, 0x0003). Primitives by OpenSSL.
#pragma once

#include <array>
#include <optional>

#include "base/bytes.h"
#include "base/error.h"

namespace kura::crypto {

using PublicKey = std::array<std::uint8_t, 32>;
using Signature = std::array<std::uint8_t, 64>;

// Ed25519; `seed` is the 32-byte private key of RFC 8032.
PublicKey ed25519_public(const base::Key& seed);
Signature ed25519_sign(const base::Key& seed, base::ByteSpan message);
[[nodiscard]] bool ed25519_verify(const PublicKey& key, base::ByteSpan message, base::ByteSpan signature);

PublicKey x25519_public(const base::Key& secret);
// False for the few points of low order, to which nothing can be sealed (RFC 7748 section 6.1): readers of stored
// public keys refuse those.
[[nodiscard]] bool x25519_is_usable(const PublicKey& key);

// HPKE: `enc` (32 bytes, the ephemeral public key), then ciphertext and tag. `recipient` must be usable; to one that is
// not, the program ends rather than seal to everybody.
inline constexpr std::size_t kHpkeOverhead = 32 + 16;
base::Bytes hpke_seal(const PublicKey& recipient, base::ByteSpan info, base::ByteSpan associated, base::ByteSpan text);
// nullopt when it was not sealed to this key with this info and associated data, or is malformed (also for low-order
// points, RFC 7748 section 6.1).
[[nodiscard]] std::optional<base::Bytes> hpke_open(const base::Key& secret, base::ByteSpan info,
                                                   base::ByteSpan associated, base::ByteSpan sealed);

}  // namespace kura::crypto
