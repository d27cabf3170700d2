#include "store/vault/answers.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "base/escape.h"
#include "base/number.h"
#include "store/vault/json.h"

namespace kura::store::vault {
namespace {

namespace json = boost::json;
using base::ErrorCode;

constexpr std::size_t kLongestText = 2000;  // bytes of a message that are shown

constexpr std::array kCodes = {ErrorCode::kUsage,       ErrorCode::kNotFound,   ErrorCode::kExists,
                               ErrorCode::kDenied,      ErrorCode::kNoSpace,    ErrorCode::kIo,
                               ErrorCode::kDamaged,     ErrorCode::kWrongKey,   ErrorCode::kConflict,
                               ErrorCode::kUnsupported, ErrorCode::kInterrupted};

std::string shown(const json::object& object, const char* name) {
  return base::printable(text_in(object, name).substr(0, kLongestText));
}

}  // namespace

base::Error error_of(const http::Response& response) {
  const json::object body = parse_object(base::as_text(response.body));
  const std::string_view name = response.header("kura-code");
  const auto* const code = std::ranges::find(kCodes, name, [](ErrorCode known) { return base::name_of(known); });
  if (code == kCodes.end()) {
    return {ErrorCode::kIo, fmt::format("the server answers with status {}, not as a vault does", response.status),
            "see whether the address is that of a vault"};
  }
  if (body.empty()) return {*code, fmt::format("the vault answers with status {}", response.status)};
  return {*code, shown(body, "message"), shown(body, "hint")};
}

std::optional<std::uint64_t> number_in(const http::Response& response, std::string_view header) {
  return base::parse_number<std::uint64_t>(response.header(header));
}

}  // namespace kura::store::vault
