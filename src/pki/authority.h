// A vault's own certificate authority: it says which machines are the vault's, and who the vault is. There is no other
// one above it; machines are told its fingerprint with their enrolment token.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/error.h"
#include "pki/certificate.h"
#include "pki/private_key.h"

namespace kura::pki {

enum class Use { kClient, kServer };

struct IssueOptions {
  std::string name;  // the subject's common name: 1 to 64 bytes; what the request says is not asked
  Use use = Use::kClient;
  std::span<const std::string> reached_as = {};  // names and addresses of a server
  std::int64_t now = 0;                          // ns since 1970
  std::int64_t lifetime = 0;                     // ns; whole seconds of it
};

// Shared by threads.
class Authority {
 public:
  // Of 20 years. `name` is shown to people who look at certificates.
  static Authority create(std::string_view name, std::int64_t now);
  // kDamaged; kWrongKey when they do not belong together.
  static base::Result<Authority> open(std::string_view key_pem, std::string_view certificate_pem);

  const Certificate& certificate() const { return certificate_; }
  const PrivateKey& key() const { return key_; }

  // Certifies the key of a request in PEM, whose signature proves that the other side has it. kDamaged when the request
  // is malformed or not signed by its key, kUnsupported for a key not on P-256, kUsage for a name that is too long or
  // an address that is none.
  base::Result<Certificate> issue(std::string_view request_pem, const IssueOptions& options) const;

 private:
  Authority(PrivateKey key, Certificate certificate) : key_(std::move(key)), certificate_(std::move(certificate)) {}
  PrivateKey key_;
  Certificate certificate_;
};

}  // namespace kura::pki
