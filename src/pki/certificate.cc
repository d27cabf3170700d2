#include "pki/certificate.h"

#include <cstring>
#include <ctime>

#include <openssl/pem.h>

#include "base/time.h"
#include "pki/openssl.h"

namespace kura::pki {
namespace {

std::shared_ptr<X509> shared(X509* certificate) { return {certificate, &X509_free}; }

std::int64_t nanoseconds(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) {
    ERR_clear_error();
    return 0;
  }
  return static_cast<std::int64_t>(::timegm(&parts)) * base::kSecond;
}

}  // namespace

base::Result<Certificate> Certificate::from_pem(std::string_view pem) {
  const Owned<BIO> in = reader_of(pem);
  char none[] = "";
  X509* const certificate = PEM_read_bio_X509(in.get(), nullptr, nullptr, none);
  if (certificate == nullptr) return malformed("the certificate");
  return Certificate(shared(certificate));
}

base::Result<Certificate> Certificate::from_der(base::ByteSpan der) {
  const unsigned char* at = der.data();
  X509* const certificate = d2i_X509(nullptr, &at, static_cast<long>(der.size()));
  if (certificate == nullptr) return malformed("the certificate");
  Certificate result(shared(certificate));
  if (at != der.data() + der.size()) return malformed("the certificate");
  return result;
}

std::string Certificate::to_pem() const {
  const Owned<BIO> out = writer();
  require(PEM_write_bio_X509(out.get(), certificate_.get()) == 1, "PEM_write_bio_X509");
  return text_of(out.get());
}

base::Bytes Certificate::to_der() const {
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate_.get(), &der);
  require(size > 0, "i2d_X509");
  base::Bytes bytes(der, der + size);
  OPENSSL_free(der);
  return bytes;
}

base::Digest Certificate::fingerprint() const {
  base::Digest digest;
  unsigned size = 0;
  require(X509_digest(certificate_.get(), EVP_sha256(), digest.bytes.data(), &size) == 1, "X509_digest");
  return digest;
}

std::string Certificate::name() const {
  const X509_NAME* const subject = X509_get_subject_name(certificate_.get());
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) return {};
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  if (size < 0) {
    ERR_clear_error();
    return {};
  }
  std::string name(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
  OPENSSL_free(text);
  return name.find('\0') == std::string::npos ? name : std::string();
}

std::int64_t Certificate::not_before() const { return nanoseconds(X509_get0_notBefore(certificate_.get())); }
std::int64_t Certificate::not_after() const { return nanoseconds(X509_get0_notAfter(certificate_.get())); }

bool Certificate::is_issued_by(const Certificate& authority) const {
  const bool named = X509_check_issued(authority.get(), certificate_.get()) == X509_V_OK;
  const bool is_issued = named && X509_verify(certificate_.get(), X509_get0_pubkey(authority.get())) == 1;
  if (!is_issued) ERR_clear_error();
  return is_issued;
}

bool Certificate::belongs_to(const PrivateKey& key) const {
  const bool belongs = X509_check_private_key(certificate_.get(), key.get()) == 1;
  if (!belongs) ERR_clear_error();
  return belongs;
}

std::string make_request(const PrivateKey& key, std::string_view name) {
  const Owned<X509_REQ> request(X509_REQ_new());
  require(request != nullptr, "X509_REQ_new");
  const Owned<X509_NAME> subject(X509_NAME_new());
  require(subject != nullptr, "X509_NAME_new");
  set_name(subject.get(), name);
  require(X509_REQ_set_subject_name(request.get(), subject.get()) == 1, "X509_REQ_set_subject_name");
  require(X509_REQ_set_pubkey(request.get(), key.get()) == 1, "X509_REQ_set_pubkey");
  require(X509_REQ_sign(request.get(), key.get(), EVP_sha256()) > 0, "X509_REQ_sign");
  const Owned<BIO> out = writer();
  require(PEM_write_bio_X509_REQ(out.get(), request.get()) == 1, "PEM_write_bio_X509_REQ");
  return text_of(out.get());
}

}  // namespace kura::pki
