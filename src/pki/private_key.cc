#include "pki/private_key.h"

#include <openssl/pem.h>

#include "pki/openssl.h"

namespace kura::pki {
namespace {

constexpr const char* kCurve = "P-256";

std::shared_ptr<EVP_PKEY> shared(EVP_PKEY* key) { return {key, &EVP_PKEY_free}; }

}  // namespace

PrivateKey PrivateKey::generate() {
  EVP_PKEY* const key = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", kCurve);
  require(key != nullptr, "EVP_PKEY_Q_keygen");
  return PrivateKey(shared(key));
}

base::Result<PrivateKey> PrivateKey::from_pem(std::string_view pem) {
  const Owned<BIO> in = reader_of(pem);
  // An empty password: nobody is asked for one.
  char none[] = "";
  EVP_PKEY* const key = PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, none);
  if (key == nullptr) return malformed("the private key");
  PrivateKey result(shared(key));
  if (!is_on_p256(key)) {
    return base::fail(base::ErrorCode::kUnsupported, "the private key is not one on P-256");
  }
  return result;
}

std::string PrivateKey::to_pem() const {
  const Owned<BIO> out = writer();
  require(PEM_write_bio_PKCS8PrivateKey(out.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
          "PEM_write_bio_PKCS8PrivateKey");
  return text_of(out.get());
}

}  // namespace kura::pki
