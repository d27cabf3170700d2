#include "store/s3/address.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/time.h"

namespace kura::store::s3 {
namespace {

using base::ErrorCode;
using base::Result;
using base::Status;

constexpr std::string_view kForm = "an S3 address is s3://HOST[:PORT]/BUCKET[/PREFIX]";
constexpr std::size_t kLongestPrefix = 512;  // keys have at most 1024 bytes

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::unexpected<base::Error> wrong(std::string what) {
  return base::fail(ErrorCode::kUsage, std::move(what), std::string(kForm));
}

Status check_host(std::string_view host) {
  if (host.contains('@')) {
    return base::fail(ErrorCode::kUsage, "the S3 address has a user or password in it",
                      "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; addresses are seen by others");
  }
  const bool well_formed = !host.empty() && std::ranges::all_of(host, [](char c) {
    return is_letter(c) || is_digit(c) || std::string_view(".-:[]").contains(c);
  });
  return well_formed ? Status{} : wrong(fmt::format("'{}' in the S3 address is no host", host));
}

Status check_bucket(std::string_view bucket) {
  const bool well_formed =
      bucket.size() >= 3 && bucket.size() <= 63 && !bucket.starts_with('.') && std::ranges::all_of(bucket, [](char c) {
        return is_letter(c) || is_digit(c) || std::string_view("._-").contains(c);
      });
  return well_formed ? Status{} : wrong(fmt::format("'{}' in the S3 address is no name of a bucket", bucket));
}

// Objects whose keys have "//" or ".." in them are not reached by every tool.
Status check_prefix(std::string_view prefix) {
  if (prefix.size() > kLongestPrefix) return wrong("the S3 address is too long");
  if (std::ranges::any_of(prefix, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; })) {
    return wrong("the S3 address has a control character in it");
  }
  while (!prefix.empty()) {
    const std::size_t slash = std::min(prefix.find('/'), prefix.size());
    const std::string_view part = prefix.substr(0, slash);
    if (part.empty() || part == "." || part == "..")
      return wrong("the S3 address has an empty part, '.' or '..' in it");
    prefix.remove_prefix(std::min(slash + 1, prefix.size()));
  }
  return {};
}

Status read_option(std::string_view option, Address& address) {
  const std::size_t equals = std::min(option.find('='), option.size());
  const std::string_view name = option.substr(0, equals);
  const std::string_view value = option.substr(std::min(equals + 1, option.size()));
  if (name != "object-lock" && name != "retry") {
    return base::fail(ErrorCode::kUsage, fmt::format("'{}' is no option of an S3 address", name),
                      "there are object-lock=DURATION, object-lock=none and retry=DURATION");
  }
  if (option == "object-lock=none") {
    address.object_lock = std::chrono::seconds(0);
    return {};
  }
  const auto time = KURA_TRY_AS(base::parse_duration(value), fmt::format("'{}' in the S3 address", name));
  if (time.count() <= 0 || time > std::chrono::years(100)) {
    return base::fail(ErrorCode::kUsage, fmt::format("'{}' in the S3 address is not between 1s and 100y", option));
  }
  if (name == "retry") {
    address.retry = time;
  } else {
    address.object_lock = time;
  }
  return {};
}

Status read_options(std::string_view options, Address& address) {
  while (!options.empty()) {
    const std::size_t end = std::min(options.find('&'), options.size());
    KURA_TRY(read_option(options.substr(0, end), address));
    options.remove_prefix(std::min(end + 1, options.size()));
  }
  return {};
}

}  // namespace

std::string percent_encoded(std::string_view text, bool keep_slashes) {
  std::string encoded;
  for (const char c : text) {
    if (is_letter(c) || is_digit(c) || std::string_view("-._~").contains(c) || (keep_slashes && c == '/')) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

std::string url_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = text[i] == '%' ? base::from_hex(text.substr(i + 1, 2)) : std::nullopt;
    if (byte && byte->size() == 1) {
      decoded += static_cast<char>(byte->front());
      i += 2;
    } else {
      decoded += text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

std::string Address::text() const {
  std::string text = fmt::format("{}://{}/{}", encrypted ? "s3" : "s3+http", host, bucket);
  if (!prefix.empty()) text += "/" + prefix;
  return text;
}

std::string Address::url(std::string_view key) const {
  std::string url = fmt::format("{}://{}/{}", encrypted ? "https" : "http", host, bucket);
  if (!key.empty()) url += "/" + percent_encoded(key, /*keep_slashes=*/true);
  return url;
}

Result<Address> parse_address(std::string_view address) {
  Address parsed;
  parsed.encrypted = !address.starts_with("s3+http://");
  address.remove_prefix(address.find("://") + 3);

  const std::size_t question = std::min(address.find('?'), address.size());
  const std::string_view options = address.substr(std::min(question + 1, address.size()));
  std::string_view place = address.substr(0, question);
  while (place.ends_with('/')) place.remove_suffix(1);

  const std::size_t host_end = std::min(place.find('/'), place.size());
  parsed.host = place.substr(0, host_end);
  place.remove_prefix(std::min(host_end + 1, place.size()));
  const std::size_t bucket_end = std::min(place.find('/'), place.size());
  parsed.bucket = place.substr(0, bucket_end);
  parsed.prefix = place.substr(std::min(bucket_end + 1, place.size()));

  KURA_TRY(check_host(parsed.host));
  KURA_TRY(check_bucket(parsed.bucket));
  KURA_TRY(check_prefix(parsed.prefix));
  KURA_TRY(read_options(options, parsed));
  return parsed;
}

}  // namespace kura::store::s3
