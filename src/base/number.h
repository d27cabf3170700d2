// Numbers in texts of others.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace kura::base {

// All of `text`, in decimal; nothing when it is empty, has anything else in it, or does not fit. An unsigned Number
// takes no sign.
template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && rest == end ? std::optional(value) : std::nullopt;
}

}  // namespace kura::base
