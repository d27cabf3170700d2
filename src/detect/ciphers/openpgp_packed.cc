#include "detect/ciphers/openpgp_packed.h"

#include <algorithm>

namespace kura::detect::openpgp_detail {

Packed unpack(Window& in, Range body, Budget& budget) {
  constexpr std::size_t kMost = 1U << 20;
  constexpr std::uint8_t kZip = 1, kZlib = 2;
  Packed packed;
  const std::uint8_t method = in.byte(body.offset).value_or(0);
  packed.known = method == kZip || method == kZlib;
  if (!packed.known || body.size < 2) return packed;
  const auto keep = [&](base::ByteSpan bytes) {
    const std::size_t room = std::min(bytes.size(), kMost - packed.head.size());
    packed.head.insert(packed.head.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(room));
    return true;
  };
  const Wrapping wrapping = method == kZip ? Wrapping::kRaw : Wrapping::kZlib;
  const Inflated got = inflate(in, {body.offset + 1, body.size - 1}, wrapping, budget, keep);
  packed.end = got.end;
  packed.fills = got.end == InflateEnd::kDone && got.used == body.size - 1;
  packed.complete = got.made == packed.head.size();
  return packed;
}

}  // namespace kura::detect::openpgp_detail
