// Objects in a bucket by their keys: the S3 requests that the store is made of.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/error.h"
#include "base/time.h"
#include "store/s3/answers.h"
#include "store/s3/service.h"

namespace kura::store {

// Shared by threads. Errors say what the server said; the caller says of which object.
class S3Bucket {
 public:
  using Refused = s3::Refusal;
  struct Head {
    std::uint64_t size = 0;                      // bytes
    std::int64_t received = 0;                   // ns since 1970, whole seconds
    std::optional<std::int64_t> locked_until{};  // ns since 1970; for ever with a legal hold
  };

  S3Bucket(s3::Address address, s3::Credentials credentials, std::stop_token stop,
           std::optional<std::chrono::seconds> patience)
      : service_(std::move(address), std::move(credentials), std::move(stop), patience) {}

  const s3::Address& address() const { return service_.address(); }
  s3::Service& service() { return service_; }
  // nullopt when it is not there.
  base::Result<std::optional<Head>> head(const std::string& key);
  // All of it; status 412 when `only_new` and it is there. `lock_until` is ns since 1970. Without `resend_when_cut` a
  // line that breaks ends it at once.
  std::expected<void, Refused> put(const std::string& key, const base::Digest& hash,
                                   std::span<const base::ByteSpan> parts, bool only_new,
                                   std::optional<std::int64_t> lock_until, bool resend_when_cut);
  base::Status lock(const std::string& key, std::int64_t until);
  // Whether objects in the bucket can be locked; nullopt when the server does not say, or not with this access key.
  base::Result<std::optional<bool>> can_lock();
  std::expected<base::Bytes, Refused> get(const std::string& key, std::uint64_t limit);
  // Exactly out.size() > 0 bytes; kDamaged when the object ends before.
  base::Status read_at(const std::string& key, std::uint64_t offset, base::MutableByteSpan out);
  base::Status remove(const std::string& key);
  // A page of at most `most` (<= 1000) objects, with nothing or the last page's `next`.
  base::Result<s3::ListPage> list_page(const std::string& prefix, const std::string& continuation, int most = 1000);
  // The server's clock, ns since 1970, whole seconds.
  base::Result<std::int64_t> clock();

 private:
  s3::Service service_;
};

}  // namespace kura::store
