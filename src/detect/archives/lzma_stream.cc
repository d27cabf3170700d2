#include "detect/archives/lzma_stream.h"

#include <algorithm>
#include <array>

namespace kura::detect {

LzmaEnd run_lzma(lzma_stream stream, Window& in, Range range, Budget& budget) {
  constexpr std::size_t kPiece = 64U << 10;
  static thread_local std::array<std::uint8_t, kPiece> out;
  LzmaEnd result{LZMA_OK, range.offset};
  while (result.code == LZMA_OK && result.end < range.end()) {
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, range.end() - result.end));
    const base::ByteSpan bytes = in.at(result.end, wanted);
    if (bytes.empty()) break;
    stream.next_in = bytes.data();
    stream.avail_in = bytes.size();
    do {
      stream.next_out = out.data();
      stream.avail_out = out.size();
      result.code = lzma_code(&stream, LZMA_RUN);
      if (!budget.spend(kPiece - stream.avail_out + 1)) result.code = LZMA_MEM_ERROR;
    } while (result.code == LZMA_OK && (stream.avail_in > 0 || stream.avail_out == 0));
    result.end += bytes.size() - stream.avail_in;
  }
  lzma_end(&stream);
  return result;
}

}  // namespace kura::detect
