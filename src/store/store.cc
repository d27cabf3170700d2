#include "store/store.h"

#include <algorithm>

#include <fmt/format.h>

#include "store/deadline_store.h"
#include "store/file_system.h"
#include "store/folder_store.h"
#include "store/s3_store.h"
#include "store/vault_store.h"

namespace kura::store {
namespace {

using base::ErrorCode;
using base::Result;

// What is before "://" when it has the form of a scheme (RFC 3986, section 3.1), else nothing.
std::string_view scheme_of(std::string_view address) {
  const std::size_t end = address.find("://");
  if (end == std::string_view::npos || end == 0) return {};
  const std::string_view scheme = address.substr(0, end);
  const bool well_formed = std::ranges::all_of(scheme, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '-' ||
           c == '.';
  });
  return well_formed ? scheme : std::string_view{};
}

// RFC 3986, section 2.1. A zero byte cannot be in a path.
Result<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const auto byte = base::from_hex(text.substr(i + 1, 2));
    if (!byte || byte->size() != 1 || byte->front() == 0) {
      return base::fail(ErrorCode::kUsage, fmt::format("'{}' is not valid in a file:// address", text.substr(i, 3)),
                        "write %25 for a percent sign");
    }
    decoded += static_cast<char>(byte->front());
    i += 2;
  }
  return decoded;
}

Result<std::string> path_of_file_address(std::string_view address) {
  std::string_view rest = address.substr(std::string_view("file://").size());
  if (rest.starts_with("localhost/")) rest.remove_prefix(std::string_view("localhost").size());
  if (!rest.starts_with('/')) {
    return base::fail(ErrorCode::kUsage, fmt::format("{} names another host", address),
                      "a file address has three slashes: file:///path/to/folder");
  }
  return percent_decoded(rest);
}

Result<std::string> folder_of_address(std::string_view address) {
  const std::string_view scheme = scheme_of(address);
  if (address.empty()) return base::fail(ErrorCode::kUsage, "the repository's address is empty");
  if (scheme.empty()) return std::string(address);
  if (scheme == "file") return path_of_file_address(address);
  return base::fail(ErrorCode::kUnsupported,
                    fmt::format("{}:// is no kind of repository that this version knows", scheme),
                    "use a folder's path, file:///path, s3://host/bucket or https://vault/NAME");
}

bool is_s3(std::string_view address) {
  const std::string_view scheme = scheme_of(address);
  return scheme == "s3" || scheme == "s3+http";
}

}  // namespace

Result<std::unique_ptr<Store>> open_store(std::string_view address, const OpenOptions& options) {
  if (options.emergency && scheme_of(address) != vault::kScheme) {
    return base::fail(ErrorCode::kUsage, fmt::format("{} is no vault: it has no door to open in an emergency", address),
                      "leave --emergency away");
  }
  if (is_s3(address)) {
    const s3::Address place = KURA_TRY(s3::parse_address(address));
    const s3::Credentials credentials = KURA_TRY(s3::find_credentials(s3::process_environment));
    return open_s3_store(place, credentials, {options.stop, options.patience, options.vault_folder});
  }
  if (scheme_of(address) == vault::kScheme) {
    return open_vault_store(KURA_TRY(vault::parse_address(address)), options.state_folder, options.stop,
                            options.patience,
                            options.emergency ? pki::KnockPurpose::kEmergency : pki::KnockPurpose::kJob);
  }
  auto folder = KURA_TRY(open_folder_store(KURA_TRY(folder_of_address(address)), posix_file_system()));
  return options.patience ? with_deadline(std::move(folder), *options.patience, options.stop) : std::move(folder);
}

Result<std::unique_ptr<Store>> create_store(std::string_view address, const OpenOptions& options) {
  if (is_s3(address)) {
    const s3::Address place = KURA_TRY(s3::parse_address(address));
    return create_s3_store(place, KURA_TRY(s3::find_credentials(s3::process_environment)),
                           {options.stop, options.patience, options.vault_folder});
  }
  if (scheme_of(address) == vault::kScheme) return open_store(address, options);
  return create_folder_store(KURA_TRY(folder_of_address(address)), posix_file_system());
}

Result<std::string> place_in_bucket(std::string_view address, std::string_view name) {
  if (!is_s3(address)) {
    return base::fail(ErrorCode::kUsage, fmt::format("{} is no bucket", address),
                      "write s3://HOST/BUCKET[/PREFIX]?object-lock=30d");
  }
  const s3::Address place = KURA_TRY(s3::parse_address(address));
  if (!place.object_lock) {
    return base::fail(ErrorCode::kUsage, fmt::format("{} does not say for how long objects are to be locked", address),
                      "add ?object-lock=30d to it, say; ?object-lock=none leaves them to whoever has the access key");
  }
  return fmt::format("{}/{}{}", place.text(), name, address.substr(address.find('?')));
}

}  // namespace kura::store
