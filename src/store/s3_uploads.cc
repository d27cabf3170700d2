#include "store/s3_uploads.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "crypto/hash.h"
#include "store/s3/answers.h"

namespace kura::store {
namespace {

using base::ByteSpan;
using base::ErrorCode;
using base::Status;
using http::Method;
using s3::Refusal;

constexpr std::size_t kPartSize = 8 << 20;  // S3 takes no less than 5 MiB, but for the last one
constexpr std::uint64_t kLongestUploadAnswer = 64 << 10;
constexpr std::uint64_t kLongestUploadList = 8 << 20;
constexpr int kCompletions = 3;

// `size` bytes from `offset` of the concatenation of `parts`, or as many as there are.
std::vector<ByteSpan> slice(std::span<const ByteSpan> parts, std::size_t offset, std::size_t size) {
  std::vector<ByteSpan> found;
  for (const ByteSpan part : parts) {
    const std::size_t skipped = std::min(offset, part.size());
    const std::size_t taken = std::min(size, part.size() - skipped);
    if (taken > 0) found.push_back(part.subspan(skipped, taken));
    offset -= skipped;
    size -= taken;
  }
  return found;
}

base::Digest hash_of(std::span<const ByteSpan> parts) {
  crypto::Sha256 hash;
  for (const ByteSpan part : parts) hash.update(part);
  return hash.finish();
}

// It becomes a part of the XML that ends the upload.
bool is_etag(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f && c != '<' && c != '&'; });
}

std::unexpected<Refusal> no_upload_answer(std::string what) {
  return std::unexpected(Refusal{
      .error = base::Error(ErrorCode::kIo, "the server's answer " + std::move(what),
                           "see whether the address is that of an S3 server, and no proxy changes what it says")});
}

}  // namespace

std::expected<void, Refusal> S3Uploads::put(const std::string& key, std::span<const ByteSpan> parts) {
  const auto id = begin(key);
  if (!id) return std::unexpected(id.error());
  const auto list = put_parts(key, *id, parts);
  const auto done = list ? complete(key, *id, *list) : std::unexpected(list.error());
  // What cannot be ended now, a later run ends.
  if (!done) static_cast<void>(abandon(key, *id));
  return done;
}

std::expected<std::string, Refusal> S3Uploads::begin(const std::string& key) {
  const auto response =
      service_.call({.method = Method::kPost, .key = key, .query = {{"uploads", ""}}, .limit = kLongestUploadAnswer});
  if (!response) return std::unexpected(response.error());
  auto id = s3::parse_upload_id(response->body);
  if (!id) return std::unexpected(Refusal{.status = response->status, .error = std::move(id).error()});
  return *std::move(id);
}

std::expected<std::string, Refusal> S3Uploads::put_part(const std::string& key, const std::string& id,
                                                        std::size_t number, std::span<const ByteSpan> bytes) {
  const auto response = service_.call({.method = Method::kPut,
                                       .key = key,
                                       .query = {{"partNumber", fmt::format("{}", number)}, {"uploadId", id}},
                                       .body = bytes,
                                       .body_hash = hash_of(bytes)});
  if (!response) return std::unexpected(response.error());
  const std::string etag(response->header("etag"));
  if (!is_etag(etag)) return no_upload_answer("does not say that it has stored a part");
  return etag;
}

// Gives the list of them that ends the upload.
std::expected<std::string, Refusal> S3Uploads::put_parts(const std::string& key, const std::string& id,
                                                         std::span<const ByteSpan> parts) {
  const std::size_t size = base::total_size(parts);
  std::string list = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  std::size_t number = 1;
  for (std::size_t offset = 0; offset < size; offset += kPartSize, ++number) {
    const auto etag = put_part(key, id, number, slice(parts, offset, kPartSize));
    if (!etag) return etag;
    list += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag></Part>", number, *etag);
  }
  return list + "</CompleteMultipartUpload>";
}

std::expected<void, Refusal> S3Uploads::complete(const std::string& key, const std::string& id,
                                                 const std::string& list) {
  const ByteSpan body[] = {base::as_bytes(list)};
  const s3::Call call{.method = Method::kPost,
                      .key = key,
                      .query = {{"uploadId", id}},
                      .body = body,
                      .body_hash = hash_of(body),
                      .limit = kLongestUploadAnswer};
  // S3 may say 200 before it knows, and tell in the body that it did not work out.
  for (int tries = 1;; ++tries) {
    const auto response = service_.call(call);
    if (!response) return std::unexpected(response.error());
    if (s3::parse_error(response->body).code.empty()) return {};
    Refusal refusal = s3::refusal_of(*response, service_.address());
    if (!refusal.may_pass || tries == kCompletions) return std::unexpected(std::move(refusal));
  }
}

Status S3Uploads::abandon(const std::string& key, const std::string& id) {
  const auto response = service_.call({.method = Method::kDelete, .key = key, .query = {{"uploadId", id}}});
  if (response || response.error().status == 404) return {};
  return base::fail(response.error().error);
}

Status S3Uploads::abandon_old(const std::string& prefix, std::int64_t time,
                              const std::function<bool(std::string_view key)>& ours) {
  const auto response = service_.call(
      {.query = {{"max-uploads", "1000"}, {"prefix", prefix}, {"uploads", ""}}, .limit = kLongestUploadList});
  if (!response) return base::fail(response.error().error);
  for (const s3::ListedUpload& upload : KURA_TRY(s3::parse_uploads(response->body))) {
    if (upload.begun < time && ours(upload.key)) KURA_TRY(abandon(upload.key, upload.id));
  }
  return {};
}

}  // namespace kura::store
