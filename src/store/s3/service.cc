#include "store/s3/service.h"

#include <fmt/format.h>

#include "base/escape.h"
#include "crypto/hash.h"
#include "store/http/retries.h"

namespace kura::store::s3 {
namespace {

using base::Error;
using base::ErrorCode;
using std::chrono::seconds;

constexpr seconds kFirstContact{10};
constexpr seconds kAfterStop{10};
constexpr seconds kLongestSilence{60};
constexpr seconds kLongestConnect{15};

http::Options options_for(const Address& address, const Credentials& credentials, std::optional<seconds> patience) {
  const seconds silence = std::min(address.retry, patience.value_or(address.retry));
  return {.region = credentials.region,
          .access_key = credentials.access_key,
          .secret_key = credentials.secret_key,
          .connect = std::min(kLongestConnect, silence),
          .stall = std::min(kLongestSilence, silence)};
}

ErrorCode code_of(http::Failure::Kind kind) {
  using Kind = http::Failure::Kind;
  if (kind == Kind::kStopped) return ErrorCode::kInterrupted;
  return kind == Kind::kUntrusted ? ErrorCode::kDenied : ErrorCode::kIo;
}

std::string hint_of(http::Failure::Kind kind, bool encrypted) {
  using Kind = http::Failure::Kind;
  switch (kind) {
    case Kind::kNoConnection:
      return "see whether the address is right and the server runs; what is stored already is used by the next run";
    case Kind::kBroken:
      return encrypted ? "run again, what is stored already is used; a server without encryption is s3+http://"
                       : "run again, what is stored already is used; a server with encryption is s3://";
    case Kind::kUntrusted:
      return "name the server as its certificate does; CURL_CA_BUNDLE can name a file with your own authority";
    case Kind::kTooLarge:
      return "see whether the address is that of an S3 server";
    case Kind::kStopped:
    case Kind::kOther:
      return "";
  }
  return "";
}

}  // namespace

Service::Service(Address address, Credentials credentials, std::stop_token stop, std::optional<seconds> patience)
    : address_(std::move(address)),
      patience_(patience < address_.retry ? patience : std::nullopt),
      session_token_(credentials.session_token),
      stop_(std::move(stop)),
      client_(options_for(address_, credentials, patience_)) {}

http::Request Service::request_for(const Call& call) const {
  http::Request request{.method = call.method,
                        .url = address_.url(call.key),
                        .headers = call.headers,
                        .body = call.body,
                        .range = call.range,
                        .limit = call.limit};
  char separator = '?';
  for (const auto& [name, value] : call.query) {
    request.url += fmt::format("{}{}={}", separator, percent_encoded(name, false), percent_encoded(value, false));
    separator = '&';
  }
  request.headers.push_back("x-amz-content-sha256: " + (call.body_hash ? *call.body_hash : crypto::sha256({})).hex());
  if (!session_token_.empty()) request.headers.push_back("x-amz-security-token: " + session_token_);
  return request;
}

Refusal Service::refusal_of_failure(const http::Failure& failure) const {
  using Kind = http::Failure::Kind;
  const bool may_pass = failure.kind == Kind::kNoConnection || failure.kind == Kind::kBroken;
  return {.error = Error(code_of(failure.kind), fmt::format("{}: {}", address_.host, base::printable(failure.message)),
                         hint_of(failure.kind, address_.encrypted)),
          .may_pass = may_pass,
          .cut_off = failure.kind == Kind::kBroken,
          .too_large = failure.kind == Kind::kTooLarge};
}

std::expected<http::Response, Refusal> Service::try_once(const http::Request& request, const std::stop_token& stop) {
  auto response = client_.send(request, stop);
  if (!response) return std::unexpected(refusal_of_failure(response.error()));
  has_answered_ = true;
  if (!response->ok()) return std::unexpected(refusal_of(*response, address_));
  return std::move(*response);
}

seconds Service::retry_time() const { return has_answered_ ? address_.retry : std::min(address_.retry, kFirstContact); }

std::expected<http::Response, Refusal> Service::call(const Call& call) {
  http::Request request = request_for(call);
  if (stop_.stop_requested()) {
    request.at_most = kAfterStop;
    return try_once(request, {});
  }
  http::Retries retries(stop_, patience_);
  while (true) {
    auto result = try_once(request, stop_);
    if (result || !result.error().may_pass) return result;
    if (result.error().cut_off && !call.resend_when_cut) return result;
    const auto next = retries.after_failure(retry_time(), result.error().wait);
    if (next == http::Retries::Next::kGiveUp) return result;
    if (next == http::Retries::Next::kStopped) {
      return std::unexpected(Refusal{.error = Error(ErrorCode::kInterrupted, "interrupted")});
    }
  }
}

}  // namespace kura::store::s3
