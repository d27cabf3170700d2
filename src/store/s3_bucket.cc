#include "store/s3_bucket.h"

#include <algorithm>
#include <limits>
#include <string_view>

#include <fmt/format.h>

#include "base/number.h"
#include "base/time.h"
#include "crypto/base64.h"
#include "crypto/hash.h"

namespace kura::store {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;
using http::Method;

constexpr std::uint64_t kLongestList = 8 << 20;  // bytes of XML
constexpr std::uint64_t kLongestAnswer = 64 << 10;

std::unexpected<base::Error> no_s3_answer(std::string_view what) {
  return base::fail(ErrorCode::kIo, fmt::format("the server's answer {}", what),
                    "see whether the address is that of an S3 server, and no proxy changes what it says");
}

template <typename T>
Result<T> plain(std::expected<T, s3::Refusal> result) {
  if (!result) return base::fail(std::move(result).error().error);
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return *std::move(result);
  }
}

// S3 demands a checksum of what is to be locked; this one is known already.
void add_checksum(std::vector<std::string>& headers, const base::Digest& hash) {
  headers.push_back("x-amz-checksum-sha256: " + crypto::base64(hash.span()));
}

std::optional<std::int64_t> locked_until(const http::Response& response) {
  if (response.header("x-amz-object-lock-legal-hold") == "ON") return std::numeric_limits<std::int64_t>::max();
  const std::string_view date = response.header("x-amz-object-lock-retain-until-date");
  if (date.empty()) return std::nullopt;
  const auto time = base::parse_rfc3339(date);
  return time ? *time : std::numeric_limits<std::int64_t>::max();  // a lock that we cannot read is one
}

Result<S3Bucket::Head> parse_head(const http::Response& response) {
  S3Bucket::Head head{.locked_until = locked_until(response)};
  const auto size = base::parse_number<std::uint64_t>(response.header("content-length"));
  const auto time = s3::parse_http_date(response.header("last-modified"));
  if (!size || !time) return no_s3_answer("does not tell the object's size and time");
  head.size = *size;
  head.received = *time;
  return head;
}

}  // namespace

Result<std::optional<S3Bucket::Head>> S3Bucket::head(const std::string& key) {
  const auto response = service_.call({.method = Method::kHead, .key = key});
  if (response) return KURA_TRY(parse_head(*response));
  if (response.error().status == 404) return std::nullopt;
  return base::fail(response.error().error);
}

std::expected<void, s3::Refusal> S3Bucket::put(const std::string& key, const base::Digest& hash,
                                               std::span<const base::ByteSpan> parts, bool only_new,
                                               std::optional<std::int64_t> lock_until, bool resend_when_cut) {
  s3::Call call{
      .method = Method::kPut, .key = key, .body = parts, .body_hash = hash, .resend_when_cut = resend_when_cut};
  if (only_new) call.headers.emplace_back("If-None-Match: *");
  if (lock_until) {
    add_checksum(call.headers, hash);
    call.headers.emplace_back("x-amz-object-lock-mode: COMPLIANCE");
    call.headers.push_back("x-amz-object-lock-retain-until-date: " + base::format_rfc3339(*lock_until));
  }
  const auto response = service_.call(call);
  if (!response) return std::unexpected(response.error());
  // A server that is no S3 server may say yes to anything; S3 always tells the ETag.
  if (response->header("etag").empty()) {
    return std::unexpected(s3::Refusal{.status = response->status,
                                       .error = no_s3_answer("does not say that it has stored the object").error()});
  }
  return {};
}

Status S3Bucket::lock(const std::string& key, std::int64_t until) {
  const std::string retention = fmt::format(
      "<Retention xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Mode>COMPLIANCE</Mode>"
      "<RetainUntilDate>{}</RetainUntilDate></Retention>",
      base::format_rfc3339(until));
  const base::ByteSpan parts[] = {base::as_bytes(retention)};
  const base::Digest hash = crypto::sha256(parts[0]);
  s3::Call call{.method = Method::kPut, .key = key, .query = {{"retention", ""}}, .body = parts, .body_hash = hash};
  add_checksum(call.headers, hash);
  KURA_TRY(plain(service_.call(call)));
  return {};
}

Result<std::optional<bool>> S3Bucket::can_lock() {
  const auto response = service_.call({.query = {{"object-lock", ""}}, .limit = kLongestAnswer});
  if (response) return s3::parse_lock_enabled(response->body);
  const s3::Refusal& refusal = response.error();
  if (refusal.code == "ObjectLockConfigurationNotFoundError") return false;
  if (refusal.status == 0 || refusal.may_pass || refusal.code == "NoSuchBucket") return base::fail(refusal.error);
  return std::nullopt;
}

std::expected<base::Bytes, s3::Refusal> S3Bucket::get(const std::string& key, std::uint64_t limit) {
  auto response = service_.call({.key = key, .limit = limit});
  if (!response) return std::unexpected(std::move(response).error());
  return std::move(response->body);
}

Status S3Bucket::read_at(const std::string& key, std::uint64_t offset, base::MutableByteSpan out) {
  const auto too_short = [] { return base::fail(ErrorCode::kDamaged, "it is shorter than it should be"); };
  if (offset > std::numeric_limits<std::uint64_t>::max() - out.size()) return too_short();
  const std::uint64_t last = offset + out.size() - 1;
  const auto response = service_.call({.key = key, .range = fmt::format("{}-{}", offset, last), .limit = out.size()});
  if (!response && response.error().status == 416) return too_short();
  if (!response) return base::fail(response.error().error);
  // "bytes 0-9/100", RFC 9110, section 14.4. The range may be cut short where the object ends, and nowhere else.
  const std::string_view range = response->header("content-range");
  const std::size_t size = response->body.size();
  if (response->status != 206 || size == 0 ||
      !range.starts_with(fmt::format("bytes {}-{}/", offset, offset + size - 1))) {
    return no_s3_answer("is not the part of the object that was asked for");
  }
  if (size < out.size()) return too_short();
  std::ranges::copy(response->body, out.begin());
  return {};
}

Status S3Bucket::remove(const std::string& key) {
  const auto response = service_.call({.method = Method::kDelete, .key = key});
  if (response || (response.error().status == 404 && response.error().code != "NoSuchBucket")) return {};
  return base::fail(response.error().error);
}

Result<s3::ListPage> S3Bucket::list_page(const std::string& prefix, const std::string& continuation, int most) {
  s3::Call call{.limit = kLongestList};
  if (!continuation.empty()) call.query.emplace_back("continuation-token", continuation);
  call.query.emplace_back("encoding-type", "url");
  call.query.emplace_back("list-type", "2");
  call.query.emplace_back("max-keys", fmt::format("{}", most));
  call.query.emplace_back("prefix", prefix);
  const auto response = KURA_TRY(plain(service_.call(call)));
  return s3::parse_list(response.body);
}

Result<std::int64_t> S3Bucket::clock() {
  const auto response = KURA_TRY(plain(service_.call({.method = Method::kHead})));
  const auto time = s3::parse_http_date(response.header("date"));
  if (!time) return no_s3_answer("does not tell the time");
  return *time / base::kSecond * base::kSecond;
}

}  // namespace kura::store
