#include "base/utf8.h"

namespace kura::base {
namespace {

struct Lead {
  std::size_t size;        // of the whole sequence; 0 when the byte cannot start one
  std::uint32_t bits;      // what the byte adds to the value
  std::uint32_t smallest;  // less would have a shorter form
};

Lead lead_of(std::uint8_t byte) {
  if (byte < 0x80) return {1, byte, 0};
  if (byte >= 0xc2 && byte < 0xe0) return {2, byte & 0x1fu, 0x80};
  if (byte >= 0xe0 && byte < 0xf0) return {3, byte & 0x0fu, 0x800};
  if (byte >= 0xf0 && byte < 0xf5) return {4, byte & 0x07u, 0x10000};
  return {0, 0, 0};
}

}  // namespace

Utf8Char first_utf8_char(std::string_view text) {
  const auto byte_at = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const Utf8Char invalid{.value = 0x110000u + byte_at(0), .size = 1, .valid = false};
  const Lead lead = lead_of(byte_at(0));
  if (lead.size == 0 || lead.size > text.size()) return invalid;
  std::uint32_t value = lead.bits;
  for (std::size_t i = 1; i < lead.size; ++i) {
    if ((byte_at(i) & 0xc0) != 0x80) return invalid;
    value = value << 6 | (byte_at(i) & 0x3fu);
  }
  const bool is_surrogate = value >= 0xd800 && value < 0xe000;
  if (value < lead.smallest || value > 0x10ffff || is_surrogate) return invalid;
  return {.value = value, .size = lead.size, .valid = true};
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const Utf8Char character = first_utf8_char(text);
    if (!character.valid) return false;
    text.remove_prefix(character.size);
  }
  return true;
}

}  // namespace kura::base
