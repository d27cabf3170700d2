#include "pki/authority.h"

#include <arpa/inet.h>

#include <ctime>

#include <fmt/format.h>
#include <openssl/pem.h>

#include "base/escape.h"
#include "base/time.h"
#include "crypto/random.h"
#include "pki/openssl.h"

namespace kura::pki {
namespace {

using base::ErrorCode;

constexpr std::int64_t kAuthorityLifetime = 20LL * 365 * 24 * 3600 * base::kSecond;
constexpr std::int64_t kClockError = 3600 * base::kSecond;  // by which a machine's clock may be behind ours
constexpr std::size_t kLongestName = 64;                    // RFC 5280, ub-common-name
constexpr std::size_t kSerial = 16;                         // bytes

void set_time(ASN1_TIME* field, std::int64_t ns) {
  require(ASN1_TIME_adj(field, static_cast<std::time_t>(ns / base::kSecond), 0, 0) != nullptr, "ASN1_TIME_adj");
}

// Random, so nobody has to remember which were used; positive, as RFC 5280 wants it.
void set_serial(X509* certificate) {
  std::uint8_t bytes[kSerial];
  crypto::fill_random(bytes);
  bytes[0] = static_cast<std::uint8_t>((bytes[0] & 0x7f) | 0x40);
  const Owned<BIGNUM> number(BN_bin2bn(bytes, sizeof bytes, nullptr));
  require(number != nullptr, "BN_bin2bn");
  require(BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr, "BN_to_ASN1_INTEGER");
}

void add_extension(X509* certificate, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()));
  require(extension != nullptr, "X509V3_EXT_conf_nid");
  require(X509_add_ext(certificate, extension.get(), -1) == 1, "X509_add_ext");
}

// Not by OpenSSL's text form, in which a comma would begin another name.
base::Status add_reached_as(X509* certificate, std::span<const std::string> names) {
  const Owned<GENERAL_NAMES> all(GENERAL_NAMES_new());
  require(all != nullptr, "GENERAL_NAMES_new");
  for (const std::string& text : names) {
    std::uint8_t address[16];
    const int size = ::inet_pton(AF_INET, text.c_str(), address) == 1    ? 4
                     : ::inet_pton(AF_INET6, text.c_str(), address) == 1 ? 16
                                                                         : 0;
    if (size == 0 && (text.empty() || text.size() > 253 ||
                      text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.") !=
                          std::string::npos)) {
      return base::fail(ErrorCode::kUsage, fmt::format("'{}' is no host name and no address", base::printable(text)));
    }
    GENERAL_NAME* const name = GENERAL_NAME_new();
    require(name != nullptr && sk_GENERAL_NAME_push(all.get(), name) > 0, "GENERAL_NAME_new");
    if (size != 0) {
      ASN1_OCTET_STRING* const bytes = ASN1_OCTET_STRING_new();
      require(bytes != nullptr && ASN1_OCTET_STRING_set(bytes, address, size) == 1, "ASN1_OCTET_STRING_set");
      GENERAL_NAME_set0_value(name, GEN_IPADD, bytes);
    } else {
      ASN1_IA5STRING* const bytes = ASN1_IA5STRING_new();
      require(bytes != nullptr && ASN1_STRING_set(bytes, text.data(), static_cast<int>(text.size())) == 1,
              "ASN1_STRING_set");
      GENERAL_NAME_set0_value(name, GEN_DNS, bytes);
    }
  }
  require(X509_add1_ext_i2d(certificate, NID_subject_alt_name, all.get(), 0, X509V3_ADD_DEFAULT) == 1,
          "X509_add1_ext_i2d");
  return {};
}

Owned<X509> begin_certificate(std::string_view name, EVP_PKEY* key, std::int64_t from, std::int64_t until) {
  Owned<X509> certificate(X509_new());
  require(certificate != nullptr, "X509_new");
  require(X509_set_version(certificate.get(), X509_VERSION_3) == 1, "X509_set_version");
  set_serial(certificate.get());
  set_time(X509_getm_notBefore(certificate.get()), from);
  set_time(X509_getm_notAfter(certificate.get()), until);
  set_name(X509_get_subject_name(certificate.get()), name);
  require(X509_set_pubkey(certificate.get(), key) == 1, "X509_set_pubkey");
  return certificate;
}

Certificate finish(Owned<X509> certificate, EVP_PKEY* signer) {
  require(X509_sign(certificate.get(), signer, EVP_sha256()) > 0, "X509_sign");
  return Certificate(std::shared_ptr<X509>(certificate.release(), &X509_free));
}

}  // namespace

Authority Authority::create(std::string_view name, std::int64_t now) {
  PrivateKey key = PrivateKey::generate();
  Owned<X509> certificate = begin_certificate(name, key.get(), now - kClockError, now + kAuthorityLifetime);
  set_name(X509_get_issuer_name(certificate.get()), name);
  add_extension(certificate.get(), certificate.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(certificate.get(), certificate.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(certificate.get(), certificate.get(), NID_subject_key_identifier, "hash");
  Certificate finished = finish(std::move(certificate), key.get());
  return {std::move(key), std::move(finished)};
}

base::Result<Authority> Authority::open(std::string_view key_pem, std::string_view certificate_pem) {
  PrivateKey key = KURA_TRY(PrivateKey::from_pem(key_pem));
  Certificate certificate = KURA_TRY(Certificate::from_pem(certificate_pem));
  if (!certificate.belongs_to(key)) {
    return base::fail(ErrorCode::kWrongKey, "the authority's key and certificate do not belong together");
  }
  return Authority(std::move(key), std::move(certificate));
}

base::Result<Certificate> Authority::issue(std::string_view request_pem, const IssueOptions& options) const {
  if (options.name.empty() || options.name.size() > kLongestName) {
    return base::fail(ErrorCode::kUsage, fmt::format("a name in a certificate has 1 to {} bytes", kLongestName));
  }
  const Owned<BIO> in = reader_of(request_pem);
  char none[] = "";
  const Owned<X509_REQ> request(PEM_read_bio_X509_REQ(in.get(), nullptr, nullptr, none));
  if (request == nullptr) return malformed("the certificate request");
  EVP_PKEY* const key = X509_REQ_get0_pubkey(request.get());
  if (key == nullptr || X509_REQ_verify(request.get(), key) != 1) return malformed("the certificate request");
  if (!is_on_p256(key)) return base::fail(ErrorCode::kUnsupported, "the key of the request is not one on P-256");

  Owned<X509> certificate =
      begin_certificate(options.name, key, options.now - kClockError, options.now + options.lifetime);
  X509* const issuer = certificate_.get();
  require(X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer)) == 1, "X509_set_issuer_name");
  add_extension(certificate.get(), issuer, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(certificate.get(), issuer, NID_key_usage, "critical,digitalSignature");
  add_extension(certificate.get(), issuer, NID_ext_key_usage,
                options.use == Use::kServer ? "serverAuth" : "clientAuth");
  add_extension(certificate.get(), issuer, NID_subject_key_identifier, "hash");
  add_extension(certificate.get(), issuer, NID_authority_key_identifier, "keyid:always");
  if (!options.reached_as.empty()) KURA_TRY(add_reached_as(certificate.get(), options.reached_as));
  return finish(std::move(certificate), key_.get());
}

}  // namespace kura::pki
