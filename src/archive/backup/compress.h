// Making frames small: zstd, where it pays.
#pragma once

#include <memory>

#include "archive/format/pack.h"
#include "base/bytes.h"
#include "base/raw_buffer.h"

struct ZSTD_CCtx_s;

namespace kura::archive {

// One for each thread: it keeps its context and its output from frame to frame.
class Compressor {
 public:
  Compressor();

  struct Outcome {
    Compression compression = Compression::kNone;
    base::ByteSpan bytes;  // what to store: the text itself, or the compressor's memory until the next call
  };
  // `text` has at most kFrameTextLimit bytes. What a few samples say cannot be compressed is not tried; what saves
  // less than one part in 32 is not used, since a reader would pay for it.
  Outcome compress(base::ByteSpan text);

 private:
  bool looks_compressible(base::ByteSpan text);

  struct Free {
    void operator()(ZSTD_CCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_CCtx_s, Free> context_;
  base::RawBuffer out_;
};

}  // namespace kura::archive
