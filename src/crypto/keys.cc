#include "crypto/keys.h"

#include <openssl/evp.h>

#include "crypto/hpke_internal.h"
#include "crypto/openssl.h"

namespace kura::crypto {
namespace {

Owned<EVP_PKEY> private_key(int type, const base::Key& secret) {
  Owned<EVP_PKEY> key(EVP_PKEY_new_raw_private_key(type, nullptr, secret.span().data(), secret.span().size()));
  require(key != nullptr, "EVP_PKEY_new_raw_private_key");
  return key;
}

// Takes any 32 bytes: whether they are a point shows when the key is used.
Owned<EVP_PKEY> public_key(int type, const PublicKey& bytes) {
  Owned<EVP_PKEY> key(EVP_PKEY_new_raw_public_key(type, nullptr, bytes.data(), bytes.size()));
  require(key != nullptr, "EVP_PKEY_new_raw_public_key");
  return key;
}

PublicKey public_of(int type, const base::Key& secret) {
  PublicKey bytes{};
  std::size_t size = bytes.size();
  require(EVP_PKEY_get_raw_public_key(private_key(type, secret).get(), bytes.data(), &size) == 1,
          "EVP_PKEY_get_raw_public_key");
  return bytes;
}

Owned<EVP_MD_CTX> new_digest_context() {
  Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  require(context != nullptr, "EVP_MD_CTX_new");
  return context;
}

}  // namespace

PublicKey ed25519_public(const base::Key& seed) { return public_of(EVP_PKEY_ED25519, seed); }

Signature ed25519_sign(const base::Key& seed, base::ByteSpan message) {
  const auto key = private_key(EVP_PKEY_ED25519, seed);
  const auto context = new_digest_context();
  Signature signature{};
  std::size_t size = signature.size();
  require(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1, "EVP_DigestSignInit");
  require(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) == 1,
          "EVP_DigestSign");
  return signature;
}

bool ed25519_verify(const PublicKey& key, base::ByteSpan message, base::ByteSpan signature) {
  if (signature.size() != sizeof(Signature)) return false;
  const auto verifier = public_key(EVP_PKEY_ED25519, key);
  const auto context = new_digest_context();
  require(EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, verifier.get()) == 1, "EVP_DigestVerifyInit");
  return EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
}

PublicKey x25519_public(const base::Key& secret) { return public_of(EVP_PKEY_X25519, secret); }

bool x25519_is_usable(const PublicKey& key) {
  // Any secret will do: it is made a multiple of the cofactor, so exactly the points of low order give zero.
  base::Key probe;
  probe.writable()[0] = 0x40;
  return x25519_shared(probe, key).has_value();
}

std::optional<base::Key> x25519_shared(const base::Key& secret, const PublicKey& peer) {
  const auto own = private_key(EVP_PKEY_X25519, secret);
  const auto other = public_key(EVP_PKEY_X25519, peer);
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new(own.get(), nullptr));
  require(context != nullptr, "EVP_PKEY_CTX_new");
  require(EVP_PKEY_derive_init(context.get()) == 1, "EVP_PKEY_derive_init");
  require(EVP_PKEY_derive_set_peer_ex(context.get(), other.get(), 0) == 1, "EVP_PKEY_derive_set_peer_ex");
  base::Key shared;
  std::size_t size = shared.span().size();
  if (EVP_PKEY_derive(context.get(), shared.writable().data(), &size) != 1) return std::nullopt;
  return shared;
}

}  // namespace kura::crypto
