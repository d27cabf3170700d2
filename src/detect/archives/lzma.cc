// LZMA alone: what came before xz. A header of 13 bytes, one LZMA stream, no checksum; damage shows as a reference to
// bytes that are not there, or as an end in the wrong place.
#include <lzma.h>

#include <algorithm>
#include <array>

#include "detect/archives/validators.h"

namespace kura::detect::lzma {
namespace {

constexpr std::uint64_t kUnpackMost = 4U << 20;  // bytes of a file, packed: the rest is not looked at
constexpr std::uint64_t kMemoryMost = 80U << 20;
constexpr std::size_t kPiece = 64U << 10;

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
  static thread_local std::array<std::uint8_t, kPiece> out;
  lzma_stream stream = LZMA_STREAM_INIT;
  if (lzma_alone_decoder(&stream, kMemoryMost) != LZMA_OK) return undecided("it cannot be unpacked here");
  std::uint64_t at = 0;
  lzma_ret code = LZMA_OK;
  while (code == LZMA_OK && at < in.size() && at < kUnpackMost) {
    const base::ByteSpan bytes = in.at(at, kPiece);
    if (bytes.empty()) break;
    stream.next_in = bytes.data();
    stream.avail_in = bytes.size();
    at += bytes.size();
    do {
      stream.next_out = out.data();
      stream.avail_out = out.size();
      code = lzma_code(&stream, LZMA_RUN);
      if (!budget.spend(kPiece - stream.avail_out + 1)) code = LZMA_MEM_ERROR;
    } while (code == LZMA_OK && (stream.avail_in > 0 || stream.avail_out == 0));
  }
  const std::uint64_t end = at - stream.avail_in;
  lzma_end(&stream);
  if (budget.spent_out()) return over_budget();
  if (code == LZMA_MEMLIMIT_ERROR) return undecided("it needs more memory than is spent here");
  if (code == LZMA_DATA_ERROR || code == LZMA_FORMAT_ERROR) return broken(end, "the stream does not unpack");
  if (code == LZMA_STREAM_END) return whole({{{end, in.size() - end}, Density::kPlain}});
  if (at >= in.size()) return broken(in.size(), "the stream ends early");
  return whole({{{at, in.size() - at}, Density::kDense}});
}

}  // namespace kura::detect::lzma
