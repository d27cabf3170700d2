// LZMA alone: what came before xz. A header of 13 bytes, one LZMA stream, no checksum; damage shows as a reference to
// bytes that are not there, or as an end in the wrong place.
#include <algorithm>

#include "detect/archives/lzma_stream.h"
#include "detect/archives/validators.h"

namespace kura::detect::lzma {
namespace {

constexpr std::uint64_t kUnpackMost = 4U << 20;  // bytes of a file, packed: the rest is not looked at

}  // namespace

// As strict as XZ Utils when they guess: the only properties in use, a dictionary of 2^n or 3 * 2^n bytes, and a size
// that is unknown or below 256 GiB.
bool recognise(Window& in) {
  const auto head = in.whole(0, 18);
  if (!head || (*head)[0] != 0x5D || (*head)[13] != 0) return false;
  std::uint32_t dictionary = little<std::uint32_t>(*head, 1);
  const std::uint64_t size = little<std::uint64_t>(*head, 5);
  while (dictionary != 0 && dictionary % 2 == 0) dictionary /= 2;
  if (little<std::uint32_t>(*head, 1) < 4096 || (dictionary != 1 && dictionary != 3)) return false;
  return size == ~0ULL || size < 1ULL << 38;
}

Report check(Window& in, Budget& budget) {
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_alone_decoder(&stream, kLzmaMemoryMost) != LZMA_OK) return undecided("it cannot be unpacked here");
  const auto [code, end] = run_lzma(stream, in, {0, std::min(in.size(), kUnpackMost)}, budget);
  if (budget.spent_out()) return over_budget();
  if (code == LZMA_MEMLIMIT_ERROR) return undecided("it needs more memory than is spent here");
  if (code == LZMA_DATA_ERROR || code == LZMA_FORMAT_ERROR) return broken(end, "the stream does not unpack");
  if (code == LZMA_STREAM_END) return whole({{{end, in.size() - end}, Density::kPlain}});
  if (end >= in.size()) return broken(in.size(), "the stream ends early");
  return whole({{{end, in.size() - end}, Density::kDense}});
}

}  // namespace kura::detect::lzma
