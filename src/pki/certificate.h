// X.509 certificates (RFC 5280) as this product makes and reads them. Everything that parses bytes of others is
// OpenSSL's; what it finds is checked here for the little that is expected.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "pki/private_key.h"

struct x509_st;

namespace kura::pki {

// Cheap to copy. Shared by threads.
class Certificate {
 public:
  static base::Result<Certificate> from_pem(std::string_view pem);  // the first one in it
  static base::Result<Certificate> from_der(base::ByteSpan der);
  // Of OpenSSL's, which keeps its own.
  explicit Certificate(std::shared_ptr<x509_st> certificate) : certificate_(std::move(certificate)) {}

  std::string to_pem() const;
  base::Bytes to_der() const;
  // SHA-256 of its DER: its name everywhere.
  base::Digest fingerprint() const;
  // The subject's common name; empty when there is none, or it holds a zero byte.
  std::string name() const;
  std::int64_t not_before() const;  // ns since 1970
  std::int64_t not_after() const;   // ns since 1970
  // Whether `authority` signed it. Says nothing about times or names.
  bool is_issued_by(const Certificate& authority) const;
  bool belongs_to(const PrivateKey& key) const;
  x509_st* get() const { return certificate_.get(); }

 private:
  std::shared_ptr<x509_st> certificate_;
};

// A request for a certificate (PKCS #10, RFC 2986) for `name`, in PEM.
std::string make_request(const PrivateKey& key, std::string_view name);

}  // namespace kura::pki
