#include "base/escape.h"

#include <cstdint>

#include <fmt/format.h>

#include "base/utf8.h"

namespace kura::base {
namespace {

bool is_between(std::uint32_t value, std::uint32_t first, std::uint32_t last) {
  return first <= value && value <= last;
}

// U+200C and U+200D stay: Persian, Indic scripts and emoji are spelled with them.
bool is_unsafe(std::uint32_t c) {
  return c < 0x20 || is_between(c, 0x7f, 0x9f) ||         // control characters
         c == 0x00ad || c == 0x200b || c == 0x2060 ||     // invisible
         c == 0xfeff || is_between(c, 0xfff9, 0xfffb) ||  //
         is_between(c, 0xe0000, 0xe007f) ||               // tags
         c == 0x061c || c == 0x200e || c == 0x200f ||     // direction
         is_between(c, 0x202a, 0x202e) || is_between(c, 0x2066, 0x2069) || c == 0x2028 ||
         c == 0x2029;  // line and paragraph separators
}

void append_escaped(std::string& out, std::string_view bytes) {
  for (const char byte : bytes) fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<std::uint8_t>(byte));
}

// Escapes the characters for which `escapes(character, the bytes from it on)` is true.
template <typename Escapes>
std::string escaped(std::string_view bytes, Escapes escapes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const Utf8Char character = first_utf8_char(bytes);
    const std::string_view piece = bytes.substr(0, character.size);
    if (escapes(character, bytes)) {
      append_escaped(out, piece);
    } else {
      out += piece;
    }
    bytes.remove_prefix(character.size);
  }
  return out;
}

}  // namespace

std::string printable(std::string_view bytes) {
  return escaped(bytes, [](const Utf8Char& character, std::string_view rest) {
    return !character.valid || is_unsafe(character.value) || rest.starts_with("\\x");
  });
}

std::string utf8_or_escaped(std::string_view bytes) {
  return escaped(bytes, [](const Utf8Char& character, std::string_view) { return !character.valid; });
}

}  // namespace kura::base
