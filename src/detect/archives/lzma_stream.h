// What lzma and lzip share: a decoder of liblzma, fed out of a window.
#pragma once

#include <lzma.h>

#include <cstdint>

#include "detect/grammar/report.h"
#include "detect/input/window.h"

namespace kura::detect {

struct LzmaEnd {
  lzma_ret code = LZMA_OK;  // LZMA_OK: the range ended before the stream
  std::uint64_t end = 0;    // offset behind what the stream used
};

// Memory of a decoder, bytes; one that needs more ends with LZMA_MEMLIMIT_ERROR.
inline constexpr std::uint64_t kLzmaMemoryMost = 80U << 20;

// Runs the decoder, which is set up already, over the range, and ends it. Spends what it makes; when that is too much,
// `budget.spent_out()` says so. Costs about a second for 100 MB made.
LzmaEnd run_lzma(lzma_stream stream, Window& in, Range range, Budget& budget);

}  // namespace kura::detect
