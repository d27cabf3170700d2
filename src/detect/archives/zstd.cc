// Zstandard (RFC 8878): frames, unpacked by libzstd, which proves their codes, sizes and, where they have one,
// checksum.
#include <algorithm>
#include <array>
#include <memory>

#include <zstd.h>
#include <zstd_errors.h>

#include "detect/archives/validators.h"

namespace kura::detect::zstd {
namespace {

constexpr std::uint32_t kMagic = 0xFD2FB528;
constexpr std::uint32_t kSkippable = 0x184D2A50;  // and 15 more
constexpr std::size_t kPiece = 64U << 10;
// Windows up to `zstd -19` and one of --ultra; memory is touched only as far as it unpacks.
constexpr int kWindowLog = 26;

bool is_frame(Window& in, std::uint64_t offset) {
  const auto magic = in.little32(offset);
  return magic && (*magic == kMagic || (*magic & ~15U) == kSkippable);
}

struct Freed {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

}  // namespace

// A skippable frame alone may be another program's; pzstd begins with one.
bool recognise(Window& in) {
  if (in.little32(0) == kMagic) return true;
  if (!is_frame(in, 0)) return false;
  return in.little32(8 + std::uint64_t{in.little32(4).value_or(0)}) == kMagic;
}

Report check(Window& in, Budget& budget) {
  static thread_local std::array<std::uint8_t, kPiece> out;
  const std::unique_ptr<ZSTD_DCtx, Freed> context(ZSTD_createDCtx());
  if (!context) return undecided("there is no memory to unpack it");
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kWindowLog);
  std::uint64_t at = 0;
  std::size_t wanted = 0;  // 0 at a frame's end
  while (at < in.size()) {
    if (wanted == 0 && !is_frame(in, at)) return whole({{{at, in.size() - at}, Density::kPlain}});
    const base::ByteSpan bytes = in.at(at, kPiece);
    if (bytes.empty()) break;
    ZSTD_inBuffer input{bytes.data(), bytes.size(), 0};
    bool full = true;
    // A frame's end is looked at from outside: what follows it may be none.
    do {
      ZSTD_outBuffer output{out.data(), out.size(), 0};
      wanted = ZSTD_decompressStream(context.get(), &output, &input);
      if (!budget.spend(output.pos + 1)) return over_budget();
      full = output.pos == output.size;
    } while (ZSTD_isError(wanted) == 0 && wanted != 0 && (input.pos < input.size || full));
    at += input.pos;
    if (!budget.spend(input.pos)) return over_budget();
    if (ZSTD_isError(wanted) == 0) continue;
    switch (ZSTD_getErrorCode(wanted)) {
      case ZSTD_error_frameParameter_windowTooLarge:
      case ZSTD_error_memory_allocation:
        return undecided("it needs more memory than is spent here");
      case ZSTD_error_dictionary_wrong:
        return undecided("it needs a dictionary that is not here");
      case ZSTD_error_checksum_wrong:
        return broken(at, "the checksum of a frame is wrong");
      default:
        return broken(at, "a frame does not unpack");
    }
  }
  if (wanted != 0) return broken(in.size(), "a frame ends early");
  return whole();
}

}  // namespace kura::detect::zstd
