#include "pki/enrolment_token.h"

#include <algorithm>

namespace kura::pki {
namespace {

constexpr std::string_view kPrefix = "kura1-";
constexpr std::size_t kSecret = 16;

}  // namespace

std::string EnrolmentToken::encode() const {
  return std::string(kPrefix) + authority.hex() + base::to_hex(secret.span());
}

base::Result<EnrolmentToken> EnrolmentToken::decode(std::string_view text) {
  const auto mistyped = [] {
    return base::fail(base::ErrorCode::kUsage, "that is no enrolment token",
                      "it begins with kura1- and has 96 hex digits: copy all of it from `kura-vault enrol`");
  };
  if (!text.starts_with(kPrefix)) return mistyped();
  const auto bytes = base::from_hex(text.substr(kPrefix.size()));
  EnrolmentToken token;
  if (!bytes || bytes->size() != sizeof(base::Digest) + kSecret) return mistyped();
  token.authority = base::Digest::from_bytes(base::ByteSpan(*bytes).first(sizeof(base::Digest)));
  std::copy_n(bytes->end() - static_cast<std::ptrdiff_t>(kSecret), kSecret, token.secret.writable().begin());
  return token;
}

}  // namespace kura::pki
