// A private key of a machine, a server or an authority: ECDSA on P-256, which everything that speaks TLS knows.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

struct evp_pkey_st;

namespace kura::pki {

// Cheap to copy: copies share one key. Shared by threads.
class PrivateKey {
 public:
  static PrivateKey generate();
  // kDamaged, kUnsupported when it is no key on P-256.
  static base::Result<PrivateKey> from_pem(std::string_view pem);

  // PKCS #8 (RFC 5958), not encrypted: for a file that nobody else may read.
  std::string to_pem() const;
  evp_pkey_st* get() const { return key_.get(); }

 private:
  explicit PrivateKey(std::shared_ptr<evp_pkey_st> key) : key_(std::move(key)) {}
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace kura::pki
