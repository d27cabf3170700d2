// HPKE's parts that only hpke.cc and the tests against the RFC's vectors may use: with an ephemeral key of the
// caller's choice, and so one that could repeat.
#pragma once

#include "crypto/keys.h"

namespace kura::crypto {

// RFC 7748 section 6.1; nullopt when the shared secret is all zeros (a point of low order).
std::optional<base::Key> x25519_shared(const base::Key& secret, const PublicKey& peer);

base::Bytes hpke_seal_with_ephemeral(const base::Key& ephemeral, const PublicKey& recipient, base::ByteSpan info,
                                     base::ByteSpan associated, base::ByteSpan text);

}  // namespace kura::crypto
