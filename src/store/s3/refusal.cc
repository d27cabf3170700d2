#include "store/s3/refusal.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <fmt/format.h>

#include "base/escape.h"
#include "base/number.h"
#include "base/time.h"
#include "store/http/curl.h"
#include "store/s3/answers.h"

namespace kura::store::s3 {
namespace {

using base::Error;
using base::ErrorCode;

struct Meaning {
  std::string_view code;
  ErrorCode error;
  bool may_pass;
  std::string_view hint;
};

constexpr std::string_view kOtherRegion = "set AWS_REGION to the bucket's region, and use that region's host";
constexpr std::string_view kAskLater =
    "the server is overloaded or unwell; run again later, what is stored already is used";
constexpr std::string_view kOnTheWay =
    "the bytes were changed on the way to the server; see what lies between, or use s3:// with its encryption";

// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, and what Ceph and MinIO say beyond it.
constexpr std::array kMeanings = {
    Meaning{"AccessDenied", ErrorCode::kDenied, false,
            "give the access key the rights that docs/s3.md lists, for this bucket and prefix"},
    Meaning{"InvalidAccessKeyId", ErrorCode::kDenied, false, "the server does not know AWS_ACCESS_KEY_ID"},
    Meaning{"SignatureDoesNotMatch", ErrorCode::kDenied, false,
            "AWS_SECRET_ACCESS_KEY does not belong to the access key, or a proxy changes the requests"},
    Meaning{"ExpiredToken", ErrorCode::kDenied, false, "get a new AWS_SESSION_TOKEN with its access key"},
    Meaning{"InvalidToken", ErrorCode::kDenied, false, "AWS_SESSION_TOKEN does not belong to the access key"},
    Meaning{"RequestTimeTooSkewed", ErrorCode::kDenied, false, "set this machine's clock right, by NTP for instance"},
    Meaning{"NoSuchBucket", ErrorCode::kNotFound, false, "make the bucket first; docs/s3.md says how"},
    Meaning{"NoSuchKey", ErrorCode::kNotFound, false, ""},
    Meaning{"PermanentRedirect", ErrorCode::kUsage, false, kOtherRegion},
    Meaning{"TemporaryRedirect", ErrorCode::kUsage, false, kOtherRegion},
    Meaning{"AuthorizationHeaderMalformed", ErrorCode::kUsage, false, kOtherRegion},
    Meaning{"QuotaExceeded", ErrorCode::kNoSpace, false,
            "the quota is used up; what is stored already is kept and used"},
    Meaning{"XMinioStorageFull", ErrorCode::kNoSpace, false,
            "the server is full; what is stored already is kept and used"},
    Meaning{"EntityTooLarge", ErrorCode::kNoSpace, false, "the server refuses objects of this size"},
    Meaning{"XAmzContentSHA256Mismatch", ErrorCode::kIo, true, kOnTheWay},
    Meaning{"BadDigest", ErrorCode::kIo, true, kOnTheWay},
    Meaning{"RequestTimeout", ErrorCode::kIo, true, "the line is slow; run again, what is stored already is used"},
    Meaning{"InternalError", ErrorCode::kIo, true, kAskLater},
    Meaning{"SlowDown", ErrorCode::kIo, true, kAskLater},
    Meaning{"ServiceUnavailable", ErrorCode::kIo, true, kAskLater},
    Meaning{"OperationAborted", ErrorCode::kConflict, true, kAskLater},
    Meaning{"ConditionalRequestConflict", ErrorCode::kConflict, true, kAskLater},
    Meaning{"InvalidRequest", ErrorCode::kUsage, false,
            "with object-lock= in the address, the bucket needs Object Lock (docs/s3.md); else the server is not S3"},
};

// Where S3 gives no code of its own: the answer to a HEAD, or another server's.
Meaning meaning_of(int status) {
  switch (status) {
    case 301:
    case 302:
    case 307:
    case 308:
      return {"", ErrorCode::kUsage, false, kOtherRegion};
    case 401:
    case 403:
      return {"", ErrorCode::kDenied, false,
              "see whether the access key is right, has the rights that docs/s3.md lists, and this machine's clock is "
              "right"};
    case 404:
      return {"", ErrorCode::kNotFound, false, ""};
    case 408:
    case 425:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
      return {"", ErrorCode::kIo, true, kAskLater};
    case 507:
      return {"", ErrorCode::kNoSpace, false, "the server is full; what is stored already is kept and used"};
    default:
      return {"", ErrorCode::kIo, false, "see whether the address is that of an S3 server"};
  }
}

Meaning meaning_of(std::string_view code, int status) {
  const auto* known = std::ranges::find(kMeanings, code, &Meaning::code);
  return known != kMeanings.end() ? *known : meaning_of(status);
}

std::optional<std::chrono::seconds> retry_after(const http::Response& response) {
  const auto seconds = base::parse_number<unsigned>(response.header("retry-after"));
  if (!seconds) return std::nullopt;
  return std::chrono::seconds(*seconds);
}

// Bounded, and fit for a terminal: the server may be anybody.
std::string shown(std::string_view text) { return base::printable(text.substr(0, 200)); }

std::string hint_of(const Meaning& meaning, const http::Response& response, const ErrorAnswer& answer) {
  std::string hint(meaning.hint);
  std::string_view region = response.header("x-amz-bucket-region");
  if (region.empty()) region = answer.region;
  if (meaning.hint == kOtherRegion && !region.empty()) hint += fmt::format("; the server names {}", shown(region));
  if (meaning.code == "RequestTimeTooSkewed") {
    if (const auto server = parse_http_date(response.header("date"))) {
      hint += fmt::format("; it shows {}, the server's {}", base::format_rfc3339(base::now_ns()),
                          base::format_rfc3339(*server));
    }
  }
  return hint;
}

}  // namespace

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  const std::time_t seconds = http::curl().getdate(std::string(text).c_str(), nullptr);
  if (text.empty() || seconds < 0 || seconds > INT64_MAX / base::kSecond) return std::nullopt;
  return static_cast<std::int64_t>(seconds) * base::kSecond;
}

Refusal refusal_of(const http::Response& response, const Address& address) {
  const ErrorAnswer answer = parse_error(response.body);
  const Meaning meaning = meaning_of(answer.code, response.status);
  std::string said = fmt::format("{} answers {}", address.host, response.status);
  if (!answer.code.empty()) said += " " + shown(answer.code);
  if (!answer.message.empty()) said += fmt::format(" ({})", shown(answer.message));
  if (answer.code == "NoSuchBucket") said = fmt::format("there is no bucket {} at {}", address.bucket, address.host);
  return {.status = response.status,
          .code = answer.code,
          .error = Error(meaning.error, std::move(said), hint_of(meaning, response, answer)),
          .may_pass = meaning.may_pass,
          .wait = retry_after(response)};
}

}  // namespace kura::store::s3
