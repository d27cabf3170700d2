// Where an S3 repository is, as people write it:
//
//   s3://HOST[:PORT]/BUCKET[/PREFIX][?object-lock=30d][&retry=10m]      HTTPS; object-lock=none: not locked
//   s3+http://HOST[:PORT]/BUCKET[/PREFIX]                               in clear, for servers nearby
//
// The bucket is always in the path of a URL, never in the host's name: that works with every server, whatever its DNS.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace kura::store::s3 {

struct Address {
  bool encrypted = true;
  std::string host;  // with its port, if one was given
  std::string bucket;
  std::string prefix;  // no slash at either end; may be empty

  std::optional<std::chrono::seconds> object_lock{};  // 0: objects are not to be locked; nothing: it was not said
  std::chrono::seconds retry{180};                    // how long a request that fails is tried again

  // "s3://host/bucket/prefix", without the part behind the question mark.
  std::string text() const;
  // "prefix/" or nothing: what each of its keys begins with.
  std::string key_prefix() const { return prefix.empty() ? "" : prefix + "/"; }
  // The URL of a key in the bucket, or of the bucket itself when `key` is empty, encoded as S3 signs it.
  std::string url(std::string_view key) const;
};

// Of an address that begins with "s3://" or "s3+http://". kUsage tells what is wrong with it, and repeats no more of it
// than is safe where somebody has written a password into it.
base::Result<Address> parse_address(std::string_view address);

// RFC 3986, section 2.3: all but letters, digits and "-._~" as %XX, slashes only when they are not `kept`.
std::string percent_encoded(std::string_view text, bool keep_slashes);
// %XX as bytes and "+" as a blank, as S3 encodes keys in a listing. What is no such form stays as it is.
std::string url_decoded(std::string_view text);

}  // namespace kura::store::s3
