#include "detect/grammar/noise.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace kura::detect {

// Sums the squares of how often each value comes. Even bytes give 512 + 512 * 511 / 256 = 1534, give or take 45; UTF-16
// of Chinese, the evenest of texts, gives 2,000 and more.
bool looks_random(base::ByteSpan bytes) {
  if (bytes.size() < kNoisePiece) return false;
  std::array<std::uint16_t, 256> times{};
  std::uint32_t squares = 0;
  // (n + 1)^2 - n^2 = 2n + 1: the sum grows as the bytes come.
  for (const std::uint8_t byte : bytes.first(kNoisePiece)) squares += 2U * times[byte]++ + 1U;
  return squares < 1740;
}

bool stripes_look_random(base::ByteSpan bytes, std::size_t stripe) {
  if (bytes.size() < 2 * kNoisePiece) return false;
  std::array<std::uint8_t, kNoisePiece> chosen{};
  for (std::size_t phase = 0; phase < 2 * stripe; phase += stripe) {
    for (std::size_t i = 0; i < kNoisePiece; i += stripe) {
      std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(2 * i + phase), stripe,
                  chosen.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (looks_random(chosen)) return true;
  }
  return false;
}

}  // namespace kura::detect
