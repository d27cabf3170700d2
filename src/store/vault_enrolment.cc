#include "store/vault_enrolment.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "base/time.h"
#include "pki/certificate.h"
#include "pki/enrolment_token.h"
#include "store/atomic_file.h"
#include "store/http/curl.h"
#include "store/vault/answers.h"
#include "store/vault/json.h"
#include "store/vault/knocker.h"

namespace kura::store::vault {
namespace {

namespace json = boost::json;
using base::Error;
using base::ErrorCode;
using base::Result;
using base::Status;
using http::Method;

constexpr std::uint64_t kMostAnswer = 64U << 10;  // bytes
constexpr std::int64_t kDue = 30LL * 24 * 3600 * base::kSecond;

Status make_folder(const std::string& folder) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed || ::chmod(folder.c_str(), 0700) != 0) {
    return base::fail(Error::from_errno("cannot create " + folder, failed ? failed.value() : errno));
  }
  return {};
}

Error failed_to_reach(const Address& address, const http::Failure& failure) {
  return {
      ErrorCode::kIo, fmt::format("{}: {}", address.server(), failure.message),
      "see whether the address is right, the vault runs, and its door is open to this machine (`kura-vault door open "
      "MACHINE --for 1h --address ADDRESS` at the vault)"};
}

// The certificate of the authority that the token names. Whoever answers may say anything: only the one with that
// fingerprint is taken.
Result<pki::Certificate> fetch_authority(const Address& address, const base::Digest& fingerprint,
                                         const std::stop_token& stop) {
  http::Client client({.identity = {.trusts_anybody = true}});
  const auto response = client.send({.url = address.server() + "/v1/authority", .limit = kMostAnswer}, stop);
  if (!response) return base::fail(failed_to_reach(address, response.error()));
  if (!response->ok()) return base::fail(error_of(*response));
  auto authority = pki::Certificate::from_pem(base::as_text(response->body));
  if (authority && authority->fingerprint() == fingerprint) return authority;
  return base::fail(ErrorCode::kDenied,
                    fmt::format("the server at {} is not the vault that the token is from", address.server()),
                    "see whether the address is right; if it is, somebody stands in between");
}

struct Certified {
  Enrolled enrolled;
  std::string pem;
};

// What the vault answers to a request for `key`; kDamaged when it is not a certificate for it.
Result<Certified> certified(base::ByteSpan answer, const pki::PrivateKey& key) {
  const json::object value = parse_object(base::as_text(answer));
  const std::string pem = text_in(value, "certificate");
  const auto certificate = pki::Certificate::from_pem(pem);
  if (!certificate || !certificate->belongs_to(key)) {
    return base::fail(ErrorCode::kDamaged, "the vault's answer has no certificate for this machine's key");
  }
  const json::value* const door = value.if_contains("door");
  return Certified{.enrolled = {.machine = text_in(value, "machine"),
                                .repository = text_in(value, "repository"),
                                .has_door = door != nullptr && door->is_bool() && door->get_bool()},
                   .pem = certificate->to_pem()};
}

}  // namespace

Result<Enrolled> enrol(const Address& address, std::string_view token_text, const std::string& folder,
                       const std::stop_token& stop) {
  const pki::EnrolmentToken token = KURA_TRY(pki::EnrolmentToken::decode(token_text));
  KURA_TRY(http::load_curl());
  const pki::Certificate authority = KURA_TRY(fetch_authority(address, token.authority, stop));
  KURA_TRY(make_folder(folder));
  const http::Identity files = identity_in(folder);
  // Beside the one that is in use, until all is well.
  const std::string trusted = files.authority + ".new";
  KURA_TRY(write_small_file(trusted, base::as_bytes(authority.to_pem())));
  const pki::PrivateKey key = pki::PrivateKey::generate();
  const std::string body = json::serialize(
      json::value{{"secret", base::to_hex(token.secret.span())}, {"request", pki::make_request(key, "machine")}});
  const base::ByteSpan parts[] = {base::as_bytes(body)};
  http::Client client({.identity = {.authority = trusted}});
  const auto response = client.send(
      {.method = Method::kPost, .url = address.server() + "/v1/enrol", .body = parts, .limit = kMostAnswer}, stop);
  if (!response) return base::fail(failed_to_reach(address, response.error()));
  if (!response->ok()) return base::fail(error_of(*response));
  Certified result = KURA_TRY(certified(response->body, key));
  KURA_TRY(write_small_file(files.certificate, base::as_bytes(key.to_pem() + result.pem)));
  KURA_TRY(write_small_file(files.authority, base::as_bytes(authority.to_pem())));
  KURA_TRY(remember_door(folder, result.enrolled.has_door));
  std::error_code ignored;
  std::filesystem::remove(trusted, ignored);
  return std::move(result.enrolled);
}

Status renew_when_due(Service& service, const std::string& folder, std::int64_t now) {
  const http::Identity files = identity_in(folder);
  const base::Bytes pem = KURA_TRY(posix_file_system().read_all(files.certificate, kMostAnswer));
  const pki::Certificate certificate = KURA_TRY(pki::Certificate::from_pem(base::as_text(pem)));
  if (certificate.not_after() - now > kDue) return {};
  const pki::PrivateKey key = pki::PrivateKey::generate();
  const std::string body = json::serialize(json::value{{"request", pki::make_request(key, "machine")}});
  const base::ByteSpan parts[] = {base::as_bytes(body)};
  const http::Response response =
      KURA_TRY(service.call({.method = Method::kPost, .path = "/v1/renew", .body = parts, .limit = kMostAnswer}));
  const Certified result = KURA_TRY(certified(response.body, key));
  KURA_TRY(remember_door(folder, result.enrolled.has_door));
  return write_small_file(files.certificate, base::as_bytes(key.to_pem() + result.pem));
}

}  // namespace kura::store::vault
