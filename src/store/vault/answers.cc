#include "store/vault/answers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "base/escape.h"

namespace kura::store::vault {
namespace {

namespace json = boost::json;
using base::ErrorCode;

constexpr std::size_t kLongestText = 2000;  // bytes of a message that are shown

constexpr std::array kCodes = {ErrorCode::kUsage,       ErrorCode::kNotFound,   ErrorCode::kExists,
                               ErrorCode::kDenied,      ErrorCode::kNoSpace,    ErrorCode::kIo,
                               ErrorCode::kDamaged,     ErrorCode::kWrongKey,   ErrorCode::kConflict,
                               ErrorCode::kUnsupported, ErrorCode::kInterrupted};

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string text_in(const json::object& object, const char* name) {
  const json::value* const field = object.if_contains(name);
  const json::string* const text = field != nullptr ? field->if_string() : nullptr;
  if (text == nullptr) return {};
  return base::printable(std::string_view(text->data(), std::min(text->size(), kLongestText)));
}

}  // namespace

base::Error error_of(const http::Response& response) {
  boost::system::error_code malformed;
  const json::value body = json::parse(base::as_text(response.body), malformed);
  const json::object* const object = malformed ? nullptr : body.if_object();
  const std::string_view name = response.header("kura-code");
  const auto* const code = std::ranges::find(kCodes, name, [](ErrorCode known) { return base::name_of(known); });
  if (code == kCodes.end()) {
    return {ErrorCode::kIo, fmt::format("the server answers with status {}, not as a vault does", response.status),
            "see whether the address is that of a vault"};
  }
  if (object == nullptr) return {*code, fmt::format("the vault answers with status {}", response.status)};
  return {*code, text_in(*object, "message"), text_in(*object, "hint")};
}

std::optional<std::uint64_t> number_in(const http::Response& response, std::string_view header) {
  return number(response.header(header));
}

}  // namespace kura::store::vault
