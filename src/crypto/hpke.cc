// RFC 9180, base mode, single shot. Names in comments are the RFC's.
#include <algorithm>

#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/hpke_internal.h"
#include "crypto/keys.h"
#include "crypto/openssl.h"
#include "crypto/random.h"

namespace kura::crypto {
namespace {

using base::as_bytes;

constexpr std::size_t kEncSize = 32;
constexpr std::uint8_t kModeBase = 0;
constexpr std::string_view kKemSuite{"KEM\x00\x20", 5};                     // DHKEM(X25519, HKDF-SHA256)
constexpr std::string_view kHpkeSuite{"HPKE\x00\x20\x00\x01\x00\x03", 10};  // with HKDF-SHA256, ChaCha20Poly1305

Bytes joined(std::initializer_list<ByteSpan> parts) {
  Bytes all;
  for (const ByteSpan part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

// LabeledExtract
Key labeled_extract(std::string_view suite, ByteSpan salt, std::string_view label, ByteSpan input_key) {
  Bytes labeled = joined({as_bytes("HPKE-v1"), as_bytes(suite), as_bytes(label), input_key});
  const Key result = hkdf_extract(salt, labeled);
  explicit_bzero(labeled.data(), labeled.size());
  return result;
}

// LabeledExpand
void labeled_expand(std::string_view suite, const Key& key, std::string_view label, ByteSpan info,
                    base::MutableByteSpan out) {
  const std::array<std::uint8_t, 2> size = {static_cast<std::uint8_t>(out.size() >> 8),
                                            static_cast<std::uint8_t>(out.size())};
  hkdf_expand(key, joined({size, as_bytes("HPKE-v1"), as_bytes(suite), as_bytes(label), info}), out);
}

// ExtractAndExpand: the KEM's shared secret from the Diffie-Hellman value.
Key kem_secret(const Key& dh, ByteSpan enc, const PublicKey& recipient) {
  const Key prk = labeled_extract(kKemSuite, {}, "eae_prk", dh.span());
  Key secret;
  labeled_expand(kKemSuite, prk, "shared_secret", joined({enc, recipient}), secret.writable());
  return secret;
}

struct MessageKey {
  Key key;
  Nonce nonce;  // base_nonce; the only message has sequence number 0
};

// KeySchedule with an empty psk and psk_id
MessageKey key_schedule(const Key& shared, ByteSpan info) {
  const Key psk_id_hash = labeled_extract(kHpkeSuite, {}, "psk_id_hash", {});
  const Key info_hash = labeled_extract(kHpkeSuite, {}, "info_hash", info);
  const Bytes context = joined({ByteSpan(&kModeBase, 1), psk_id_hash.span(), info_hash.span()});
  const Key secret = labeled_extract(kHpkeSuite, shared.span(), "secret", {});
  MessageKey result;
  labeled_expand(kHpkeSuite, secret, "key", context, result.key.writable());
  labeled_expand(kHpkeSuite, secret, "base_nonce", context, result.nonce.bytes);
  return result;
}

}  // namespace

base::Bytes hpke_seal_with_ephemeral(const base::Key& ephemeral, const PublicKey& recipient, base::ByteSpan info,
                                     base::ByteSpan associated, base::ByteSpan text) {
  const PublicKey enc = x25519_public(ephemeral);
  const auto dh = x25519_shared(ephemeral, recipient);
  require(dh.has_value(), "hpke_seal: a recipient key of low order");
  const MessageKey message = key_schedule(kem_secret(*dh, enc, recipient), info);
  Aead aead(AeadKind::kChaCha20Poly1305, message.key);
  return joined({enc, aead.seal(message.nonce, associated, text)});
}

base::Bytes hpke_seal(const PublicKey& recipient, base::ByteSpan info, base::ByteSpan associated, base::ByteSpan text) {
  return hpke_seal_with_ephemeral(random_key(), recipient, info, associated, text);
}

std::optional<base::Bytes> hpke_open(const base::Key& secret, base::ByteSpan info, base::ByteSpan associated,
                                     base::ByteSpan sealed) {
  if (sealed.size() < kHpkeOverhead) return std::nullopt;
  PublicKey enc;
  std::ranges::copy(sealed.first(kEncSize), enc.begin());
  const auto dh = x25519_shared(secret, enc);
  if (!dh) return std::nullopt;
  const MessageKey message = key_schedule(kem_secret(*dh, enc, x25519_public(secret)), info);
  Aead aead(AeadKind::kChaCha20Poly1305, message.key);
  return aead.open(message.nonce, associated, sealed.subspan(kEncSize));
}

}  // namespace kura::crypto
