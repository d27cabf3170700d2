// What an answer that is not 2xx means: for the person who has to act on it, and for the one who may try again.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/error.h"
#include "store/http/client.h"
#include "store/s3/address.h"

namespace kura::store::s3 {

struct Refusal {
  int status = 0;
  std::string code = {};  // S3's own ("SlowDown"); of a HEAD, and of what is no S3 server, empty
  base::Error error;
  bool may_pass = false;                       // the same request may succeed later
  bool cut_off = false;                        // the line broke while the request or its answer was on the way
  bool too_large = false;                      // the answer was longer than the limit
  std::optional<std::chrono::seconds> wait{};  // what the server asks for (Retry-After)
};

// `response` is not ok(). The error says what the server said, and what to do.
Refusal refusal_of(const http::Response& response, const Address& address);

// The time of an HTTP header, ns since 1970; nullopt when it is none.
std::optional<std::int64_t> parse_http_date(std::string_view text);

}  // namespace kura::store::s3
