#include "detect/judge/small_text.h"

#include <algorithm>

namespace kura::detect {
namespace {

using base::ByteSpan;

constexpr std::uint64_t kFewestBytes = 3;
constexpr std::uint64_t kMostBytes = 1024;
constexpr std::size_t kTextCell = 16;

bool is_control(std::uint8_t byte) {
  return (byte < 0x20 && (byte < '\b' || byte > '\r') && byte != 0x1b) || byte == 0x7f;
}
bool has_control(ByteSpan bytes) { return std::ranges::any_of(bytes, is_control); }
bool is_ascii(ByteSpan bytes) {
  return std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte < 0x80; });
}

std::size_t length_of(std::uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  return lead >= 0xf0 && lead <= 0xf4 ? 4 : 0;
}

bool is_utf8(ByteSpan bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t length = length_of(bytes[at]);
    if (length == 0 || length > bytes.size() - at) return false;
    for (std::size_t i = 1; i < length; ++i) {
      if ((bytes[at + i] & 0xc0) != 0x80) return false;
    }
    at += length;
  }
  return true;
}

// Each cell is as it was, or has hardly a byte in common with what was there.
bool is_replaced_in_cells(ByteSpan before, ByteSpan after) {
  for (std::size_t at = 0; at < before.size(); at += kTextCell) {
    const std::size_t size = std::min(kTextCell, before.size() - at);
    std::size_t equal = 0;
    for (std::size_t i = at; i < at + size; ++i) equal += before[i] == after[i] ? 1U : 0U;
    if (equal != size && equal > size / 8 + (size > 3 ? 1 : 0)) return false;
  }
  return true;
}

}  // namespace

bool is_no_text_any_more(Window& before, Window& after) {
  const std::uint64_t size = before.size();
  if (size < kFewestBytes || size > kMostBytes || after.size() != size) return false;
  const ByteSpan old_bytes = before.at(0, kMostBytes);
  const ByteSpan new_bytes = after.at(0, kMostBytes);
  if (old_bytes.size() != size || new_bytes.size() != size) return false;
  if (has_control(old_bytes) || !is_utf8(old_bytes)) return false;
  // Letters of two bytes are as long in some other encodings.
  const bool is_text = !has_control(new_bytes) && (is_utf8(new_bytes) || !is_ascii(old_bytes));
  return !is_text && is_replaced_in_cells(old_bytes, new_bytes);
}

}  // namespace kura::detect
