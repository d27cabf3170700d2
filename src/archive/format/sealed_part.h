// The sealed part of an object: an AEAD under a key of its own, from a longer-lived key and the object's salt.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/codec.h"
#include "crypto/aead.h"

namespace kura::archive {

using Salt = std::array<std::uint8_t, 32>;

// SHA-256(32 random bytes ‖ u64 time ‖ sealed). `sealed`: what is sealed, or the raw ids that name it (chunks of a
// pack, packs of an index). A machine that is rolled back together with its random numbers still never uses a salt
// twice for different texts (docs/format.md, section 5).
Salt fresh_salt(base::ByteSpan sealed);

// Text and tag under HKDF(key, salt, info), nonce(0).
base::Bytes seal_part(crypto::AeadKind aead, const base::Key& key, base::ByteSpan salt, std::string_view info,
                      base::ByteSpan associated, base::ByteSpan text);
// nullopt when it does not open.
std::optional<base::Bytes> open_part(crypto::AeadKind aead, const base::Key& key, base::ByteSpan salt,
                                     std::string_view info, base::ByteSpan associated, base::ByteSpan sealed);

// A stored u8; fails through `in` when it names no known kind.
crypto::AeadKind decode_aead(base::Decoder& in);

}  // namespace kura::archive
