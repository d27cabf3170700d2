// Owners for OpenSSL's objects, for pki/*.cc only.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/error.h"
#include "crypto/openssl.h"

namespace kura::pki {

struct X509Free {
  void operator()(ASN1_INTEGER* object) const { ASN1_INTEGER_free(object); }
  void operator()(BIGNUM* object) const { BN_free(object); }
  void operator()(BIO* object) const { BIO_free(object); }
  void operator()(GENERAL_NAMES* object) const { GENERAL_NAMES_free(object); }
  void operator()(X509* object) const { X509_free(object); }
  void operator()(X509_EXTENSION* object) const { X509_EXTENSION_free(object); }
  void operator()(X509_NAME* object) const { X509_NAME_free(object); }
  void operator()(X509_REQ* object) const { X509_REQ_free(object); }
};
template <typename T>
using Owned = std::unique_ptr<T, X509Free>;
using OwnedKey = crypto::Owned<EVP_PKEY>;
using crypto::require;

inline Owned<BIO> reader_of(std::string_view text) {
  Owned<BIO> bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  require(bio != nullptr, "BIO_new_mem_buf");
  return bio;
}
inline Owned<BIO> writer() {
  Owned<BIO> bio(BIO_new(BIO_s_mem()));
  require(bio != nullptr, "BIO_new");
  return bio;
}
inline std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

inline void set_name(X509_NAME* name, std::string_view text) {
  require(X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                     reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()),
                                     -1, 0) == 1,
          "X509_NAME_add_entry_by_NID");
}

inline bool is_on_p256(const EVP_PKEY* key) {
  char curve[32] = {};
  const bool known = EVP_PKEY_get_utf8_string_param(key, "group", curve, sizeof curve, nullptr) == 1;
  if (!known) ERR_clear_error();
  return known && std::string_view(curve) == "prime256v1";
}

// Input that OpenSSL does not take: its reasons are for experts, and stay in its own list.
inline std::unexpected<base::Error> malformed(std::string_view what) {
  ERR_clear_error();
  return base::fail(base::ErrorCode::kDamaged, std::string(what) + " is malformed");
}

}  // namespace kura::pki
