// lzip: members one after the other, each an LZMA stream with a CRC-32 and both sizes behind it.
#include <algorithm>

#include "detect/archives/lzma_stream.h"
#include "detect/archives/validators.h"

namespace kura::detect::lzip {
namespace {

constexpr std::uint64_t kUnpackMost = 8U << 20;  // bytes of a file, packed: the rest is not looked at
constexpr std::uint64_t kHeader = 6, kTrailer = 20;

bool is_member(Window& in, std::uint64_t offset) { return in.has(offset, "LZIP\1"); }

// The file's last 8 bytes say how long the last member is.
bool last_member_begins(Window& in) {
  const std::uint64_t size = in.little64(in.size() - 8).value_or(0);
  return size >= kHeader + kTrailer && size <= in.size() && is_member(in, in.size() - size);
}

}  // namespace

// Behind the mark, a dictionary of 2^12 to 2^29 bytes.
bool recognise(Window& in) {
  const std::uint8_t power = in.byte(5).value_or(0) & 0x1F;
  return is_member(in, 0) && power >= 12 && power <= 29;
}

Report check(Window& in, Budget& budget) {
  std::uint64_t at = 0;
  while (is_member(in, at)) {
    lzma_stream stream = LZMA_STREAM_INIT;
    if (lzma_lzip_decoder(&stream, kLzmaMemoryMost, 0) != LZMA_OK) return undecided("it cannot be unpacked here");
    const std::uint64_t most = std::max(kUnpackMost, at);
    const auto [code, end] = run_lzma(stream, in, {at, std::min(in.size(), most) - at}, budget);
    if (budget.spent_out()) return over_budget();
    if (code == LZMA_MEMLIMIT_ERROR) return undecided("it needs more memory than is spent here");
    if (code == LZMA_OK && end < in.size()) {
      if (!last_member_begins(in)) return broken(in.size() - 8, "its last bytes are not the end of a member");
      return whole({{{end, in.size() - end}, Density::kDense}});
    }
    if (code == LZMA_OK) return broken(in.size(), "a member ends early");
    if (code != LZMA_STREAM_END) return broken(end, "a member does not unpack, or its checksum or size is wrong");
    at = end;
  }
  return whole({{{at, in.size() - at}, Density::kPlain}});
}

}  // namespace kura::detect::lzip
