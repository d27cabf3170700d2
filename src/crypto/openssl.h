// What the .cc files of this room share about OpenSSL: owners for its objects, and the end of the program when it
// fails where it cannot fail. For .cc files of crypto/ and pki/ only.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <memory>

#include <openssl/evp.h>

namespace kura::crypto {

struct OpensslFree {
  void operator()(EVP_CIPHER_CTX* object) const { EVP_CIPHER_CTX_free(object); }
  void operator()(EVP_MD_CTX* object) const { EVP_MD_CTX_free(object); }
  void operator()(EVP_PKEY* object) const { EVP_PKEY_free(object); }
  void operator()(EVP_PKEY_CTX* object) const { EVP_PKEY_CTX_free(object); }
};
template <typename T>
using Owned = std::unique_ptr<T, OpensslFree>;

// For calls that fail only when memory or OpenSSL itself is broken, never because of input: going on would mean
// unencrypted or unauthenticated data.
inline void require(bool done, const char* call) {
  if (done) return;
  std::fprintf(stderr, "cryptography failed in %s: this OpenSSL is broken or memory ran out\n", call);
  std::abort();
}

}  // namespace kura::crypto
