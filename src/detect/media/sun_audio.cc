#include "detect/media/sun_audio.h"

#include <algorithm>
#include <array>

namespace kura::detect::sun_audio {
namespace {

constexpr std::uint32_t kUnknownSize = 0xFFFFFFFF;
constexpr std::uint32_t kFirstLinear = 2, kLastLinear = 7;  // 8 to 32 bits, and floating point

}  // namespace

bool recognise(Window& in) {
  const std::uint32_t begin = in.big32(4).value_or(0), encoding = in.big32(12).value_or(0);
  return in.has(0, ".snd") && begin >= 24 && begin < 1U << 20 && encoding >= 1 && encoding <= 27;
}

Report check(Window& in, Budget&) {
  const std::uint64_t begin = in.big32(4).value_or(0);
  const std::uint32_t size = in.big32(8).value_or(0), encoding = in.big32(12).value_or(0);
  if (begin > in.size() || (size != kUnknownSize && size > in.size() - begin)) {
    return broken(in.size(), "the file ends early, within the samples");
  }
  const bool is_linear = encoding >= kFirstLinear && encoding <= kLastLinear;
  const Range sound{begin, in.size() - begin};
  if (!is_linear) return whole({{sound, Density::kDense}});
  static constexpr std::array<std::uint8_t, 6> kSizes = {1, 2, 3, 4, 4, 8};  // of a sample, big-endian
  return whole({{sound, Density::kPlain, Samples{kSizes.at(encoding - kFirstLinear), 0}}});
}

}  // namespace kura::detect::sun_audio
