// One bucket of an S3 server: requests that are signed, sent, and sent again where that may help.
//
// Tried again is what did not come to an answer (no connection, cut off, too slow) and what the server says may pass
// (429, 500, 502, 503, 504, SlowDown, RequestTimeout, ...): after a random time between zero and a bound that doubles
// up to 20 seconds ("full jitter"), or as long as the server asks for, until the address's retry time has gone by since
// the first failure, and three times at least. Until the server has answered for the first time that is at most 10
// seconds, so that a mistyped host is told soon. With `patience`, where it is shorter, the time is counted from when
// the request began, however few tries that makes, and a try ends when nothing has moved for so long. All requests that
// are sent may be repeated without harm: an object's bytes follow from its name.
//
// A stop ends requests and waits that are under way. What is asked after it (a lease is removed) is tried once, for at
// most 10 seconds.
#pragma once

#include <atomic>
#include <chrono>
#include <expected>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/error.h"
#include "store/http/client.h"
#include "store/s3/address.h"
#include "store/s3/credentials.h"
#include "store/s3/refusal.h"

namespace kura::store::s3 {

// A request to the bucket (no key) or to an object.
struct Call {
  http::Method method = http::Method::kGet;
  std::string key = {};
  std::vector<std::pair<std::string, std::string>> query = {};  // sorted by name; not encoded yet
  std::vector<std::string> headers = {};                        // "name: value"
  std::span<const base::ByteSpan> body = {};
  std::optional<base::Digest> body_hash = {};  // SHA-256 of the body, where it has one
  std::string range = {};
  std::uint64_t limit = 0;      // bytes of the answer's body
  bool resend_when_cut = true;  // else the caller knows better what to do then
};

// Shared by threads.
class Service {
 public:
  Service(Address address, Credentials credentials, std::stop_token stop,
          std::optional<std::chrono::seconds> patience = {});

  // A 2xx answer, or why there is none: what the server said last (status != 0), or that it said nothing (status 0).
  std::expected<http::Response, Refusal> call(const Call& call);
  const Address& address() const { return address_; }

 private:
  http::Request request_for(const Call& call) const;
  std::expected<http::Response, Refusal> try_once(const http::Request& request, const std::stop_token& stop);
  Refusal refusal_of_failure(const http::Failure& failure) const;
  std::chrono::seconds retry_time() const;

  const Address address_;
  const std::optional<std::chrono::seconds> patience_;
  const std::string session_token_;
  const std::stop_token stop_;
  std::atomic<bool> has_answered_{false};
  http::Client client_;
};

}  // namespace kura::store::s3
