#include "detect/images/dds.h"

#include <algorithm>

namespace kura::detect::dds {
namespace {

constexpr std::uint64_t kHeader = 128;
constexpr std::uint32_t kHasFourCc = 4;

// Bytes of a picture of one level: blocks of 4 by 4 pixels where it is compressed; 0 when that is not known.
std::uint64_t level_size(std::uint64_t width, std::uint64_t height, std::uint64_t block, std::uint64_t bits) {
  if (block > 0)
    return std::max<std::uint64_t>(1, (width + 3) / 4) * std::max<std::uint64_t>(1, (height + 3) / 4) * block;
  return (width * bits + 7) / 8 * height;
}

}  // namespace

bool recognise(Window& in) { return in.has(0, "DDS ") && in.little32(4) == 124U && in.little32(76) == 32U; }

Report check(Window& in, Budget&) {
  const auto head = in.whole(0, kHeader);
  if (!head) return broken(in.size(), "the file ends within its header");
  const auto field = [&](std::size_t at) { return little<std::uint32_t>(*head, at); };
  const std::uint32_t height = field(12), width = field(16), flags = field(80), bits = field(88);
  const std::string_view code = base::as_text(*head).substr(84, 4);
  if (height == 0 || width == 0 || height > 65536 || width > 65536)
    return broken(12, "a picture of an impossible size");
  std::uint64_t block = 0;
  const bool is_compressed = (flags & kHasFourCc) != 0;
  if (is_compressed) block = code == "DXT1" || code == "ATI1" || code == "BC4U" ? 8 : code.starts_with("DX") ? 16 : 0;
  if (is_compressed && (block == 0 || code == "DX10"))
    return whole({{{kHeader, in.size() - kHeader}, Density::kDense}});
  if (!is_compressed && (bits == 0 || bits > 128)) return broken(88, "pixels of an impossible size");
  if (in.size() - kHeader < level_size(width, height, block, bits)) {
    return broken(in.size(), "the file ends early, within the picture");
  }
  const Range pixels{kHeader, in.size() - kHeader};
  return whole({is_compressed ? Stretch{pixels, Density::kDense} : Stretch{pixels, Density::kPlain, kBytesOfSamples}});
}

}  // namespace kura::detect::dds
