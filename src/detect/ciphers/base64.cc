#include "detect/ciphers/base64.h"

#include <array>

namespace kura::detect::base64 {
namespace {

constexpr std::uint8_t kSkip = 64;
constexpr std::uint8_t kPadding = 65;
constexpr std::uint8_t kBad = 255;

constexpr std::array<std::uint8_t, 256> kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kBad);
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<std::uint8_t>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  for (const char blank : {' ', '\t', '\r', '\n'}) values[static_cast<std::uint8_t>(blank)] = kSkip;
  values['='] = kPadding;
  return values;
}();

}  // namespace

bool Decoder::feed(std::string_view text, base::Bytes& out) {
  for (const char c : text) {
    const std::uint8_t value = kValues[static_cast<std::uint8_t>(c)];
    if (value < 64 && padding_ == 0) {
      bits_ = bits_ << 6 | value;
      held_ += 6;
      if (held_ < 8) continue;
      held_ -= 8;
      out.push_back(static_cast<std::uint8_t>(bits_ >> held_));
      bits_ &= (1U << held_) - 1;
    } else if (value == kPadding) {
      if (++padding_ > 2) bad_ = true;
    } else if (value != kSkip) {
      bad_ = true;
    }
    if (bad_) return false;
  }
  return !bad_;
}

}  // namespace kura::detect::base64
