// Objects that go to the server in parts (S3's multipart upload), where a line breaks too often for the whole at once:
// what was cut off costs a part of 8 MiB, not the object. It appears whole when the last request is answered, or not at
// all, and each part is checked by the server against the SHA-256 that is sent with it.
//
// Parts go one after another: whoever stores packs has several under way anyway, and on a poor line more at once only
// means that more is cut off at once. An upload that fails is ended; one that nobody could end (the machine lost its
// power) lies there unseen, costs space, and is ended by abandon_old().
#pragma once

#include <expected>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/error.h"
#include "store/s3/service.h"

namespace kura::store {

// Shared by threads.
class S3Uploads {
 public:
  // `service` outlives it.
  explicit S3Uploads(s3::Service& service) : service_(service) {}

  // Replaces what is there. After an error it may be there all the same, where the last answer was lost: the caller
  // looks. Costs 2 requests more than there are parts.
  std::expected<void, s3::Refusal> put(const std::string& key, std::span<const base::ByteSpan> parts);
  // Ends the uploads below `prefix` that were begun before `time` (ns since 1970) and are `ours`, of the first 1000.
  base::Status abandon_old(const std::string& prefix, std::int64_t time,
                           const std::function<bool(std::string_view key)>& ours);

 private:
  std::expected<std::string, s3::Refusal> begin(const std::string& key);
  std::expected<std::string, s3::Refusal> put_part(const std::string& key, const std::string& id, std::size_t number,
                                                   std::span<const base::ByteSpan> bytes);
  std::expected<std::string, s3::Refusal> put_parts(const std::string& key, const std::string& id,
                                                    std::span<const base::ByteSpan> parts);
  std::expected<void, s3::Refusal> complete(const std::string& key, const std::string& id, const std::string& list);
  base::Status abandon(const std::string& key, const std::string& id);

  s3::Service& service_;
};

}  // namespace kura::store
