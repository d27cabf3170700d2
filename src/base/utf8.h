// Reading UTF-8 (RFC 3629) out of bytes that may not be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace kura::base {

// One code point, or one byte that is not part of any.
struct Utf8Char {
  std::uint32_t value = 0;  // the code point; of an invalid byte, 0x110000 + the byte, which no code point is
  std::size_t size = 1;     // in bytes, 1 to 4
  bool valid = false;
};

// The first character of `text`, which must not be empty. Overlong forms, surrogates and values above U+10FFFF are
// invalid.
Utf8Char first_utf8_char(std::string_view text);

bool is_utf8(std::string_view text);

}  // namespace kura::base
