// Hex literals for test vectors.
#pragma once

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>

#include "base/bytes.h"

namespace kura::test {

// "0a0b 0c": blanks are skipped. Throws (and so fails the test) when the rest is not hex.
inline base::Bytes hex(std::string_view text) {
  std::string digits(text);
  std::erase(digits, ' ');
  const auto bytes = base::from_hex(digits);
  if (!bytes) throw std::invalid_argument("not hex: " + digits);
  return *bytes;
}

// The same as an array or a key of fixed size.
template <std::size_t N>
std::array<std::uint8_t, N> hex_array(std::string_view text) {
  const base::Bytes bytes = hex(text);
  if (bytes.size() != N) throw std::invalid_argument("a test vector has another size");
  std::array<std::uint8_t, N> array{};
  std::ranges::copy(bytes, array.begin());
  return array;
}
inline base::Key hex_key(std::string_view text) { return base::Key(hex_array<32>(text)); }

}  // namespace kura::test
