#include "detect/images/type1.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "detect/codec/eexec.h"

namespace kura::detect::type1 {
namespace {

constexpr std::size_t kLongestFont = 8U << 20;  // bytes; the largest that are in use have a few hundred KiB
constexpr std::uint8_t kMarker = 0x80;
constexpr std::string_view kEexec = "currentfile eexec";
constexpr std::string_view kEnd = "closefile";

bool says_type1(Window& in, std::uint64_t offset) {
  return in.has(offset, "%!PS-AdobeFont") || in.has(offset, "%!FontType1");
}

// The bytes of all segments, one after the other; nothing when their lengths do not chain.
std::optional<std::string> join_segments(Window& in, std::uint64_t& at) {
  std::string font;
  for (at = 0; at < in.size();) {
    const base::ByteSpan head = in.at(at, 6);
    if (head.size() < 2 || head[0] != kMarker || head[1] < 1 || head[1] > 3) return std::nullopt;
    if (head[1] == 3) return font;
    if (head.size() < 6) return std::nullopt;
    const std::uint64_t size = little<std::uint32_t>(head, 2);
    if (size > in.size() - at - 6) return std::nullopt;
    for (std::uint64_t done = 0; done < size;) {
      const base::ByteSpan part =
          in.at(at + 6 + done, static_cast<std::size_t>(std::min<std::uint64_t>(size - done, Window::kMost)));
      if (part.empty()) return std::nullopt;
      font += base::as_text(part);
      done += part.size();
    }
    at += 6 + size;
  }
  return font;
}

std::string read_all(Window& in) {
  std::string font;
  while (font.size() < in.size()) {
    const base::ByteSpan part = in.at(font.size(), Window::kMost);
    if (part.empty()) break;
    font += base::as_text(part);
  }
  return font;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The encrypted part as bytes: it is written in hexadecimal when its first four signs are such (chapter 7.2).
std::string binary_of(std::string_view part) {
  if (part.size() < 4 || !std::ranges::all_of(part.substr(0, 4), [](char c) { return hex_digit(c) >= 0; })) {
    return std::string(part);
  }
  std::string bytes;
  int high = -1;
  for (const char c : part) {
    const int digit = hex_digit(c);
    if (digit < 0) continue;
    if (high >= 0) bytes += static_cast<char>(high << 4 | digit);
    high = high >= 0 ? -1 : digit;
  }
  return bytes;
}

bool is_text(std::string_view part) {
  return std::ranges::all_of(part, [](char c) {
    const auto sign = static_cast<std::uint8_t>(c);
    return sign >= 0x20 || (sign >= 0x09 && sign <= 0x0d);
  });
}

}  // namespace

bool recognise(Window& in) {
  const auto first = in.byte(0);
  return first == kMarker ? in.byte(1) == 1 && says_type1(in, 6) : says_type1(in, 0);
}

Report check(Window& in, Budget& budget) {
  if (in.size() > kLongestFont) return undecided("it is larger than any font of this kind");
  if (!budget.spend(4 * in.size())) return over_budget();
  std::string font;
  if (in.byte(0) == kMarker) {
    std::uint64_t at = 0;
    auto joined = join_segments(in, at);
    if (!joined) return broken(at, "a segment of the font does not begin where the one before ends");
    font = *std::move(joined);
  } else {
    font = read_all(in);
  }
  const std::size_t begin = font.find(kEexec);
  if (begin == std::string::npos) return broken(0, "the font has no encrypted part");
  if (!is_text(std::string_view(font).substr(0, begin))) return broken(0, "the font's dictionary is not text");
  std::size_t from = begin + kEexec.size();
  while (from < font.size() && (font[from] == ' ' || font[from] == '\r' || font[from] == '\n' || font[from] == '\t'))
    ++from;
  const std::string plain = eexec_decrypted(binary_of(std::string_view(font).substr(from)));
  if (plain.find("/Private") == std::string::npos) return broken(from, "the font's private part is none");
  if (plain.find(kEnd) == std::string::npos)
    return broken(from, "the font's private part has no end: bytes in it are wrong");
  return whole();
}

}  // namespace kura::detect::type1
