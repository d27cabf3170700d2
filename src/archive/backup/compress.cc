#include "archive/backup/compress.h"

#include <new>

#include <zstd.h>

namespace kura::archive {
namespace {

constexpr std::size_t kProbeFrom = 256U << 10;  // bytes: below that, trying costs no more than probing
constexpr std::size_t kSample = 8U << 10;
constexpr std::size_t kSamples = 4;

// At least one part in 32 smaller.
bool pays(std::size_t compressed, std::size_t text) { return compressed <= text - text / 32; }

}  // namespace

void Compressor::Free::operator()(ZSTD_CCtx_s* context) const { ZSTD_freeCCtx(context); }

Compressor::Compressor() : context_(ZSTD_createCCtx()) {
  if (context_ == nullptr) throw std::bad_alloc();
}

bool Compressor::looks_compressible(base::ByteSpan text) {
  std::size_t compressed = 0;
  for (std::size_t i = 0; i < kSamples; ++i) {
    const std::size_t offset = (text.size() - kSample) / (kSamples - 1) * i;
    const base::MutableByteSpan out = out_.spare();
    const std::size_t size =
        ZSTD_compressCCtx(context_.get(), out.data(), out.size(), text.data() + offset, kSample, 1);
    if (ZSTD_isError(size) != 0) return true;
    compressed += size;
  }
  return pays(compressed, kSamples * kSample);
}

Compressor::Outcome Compressor::compress(base::ByteSpan text) {
  const Outcome stored{Compression::kNone, text};
  if (text.empty()) return stored;
  out_.clear();
  out_.reserve(ZSTD_compressBound(text.size()));
  if (text.size() >= kProbeFrom && !looks_compressible(text)) return stored;
  // Sets the content size in the frame's header, which readers ask for; no checksum, since every chunk has an id.
  const std::size_t size =
      ZSTD_compressCCtx(context_.get(), out_.spare().data(), out_.capacity(), text.data(), text.size(), kLevel);
  if (ZSTD_isError(size) != 0 || !pays(size, text.size())) return stored;
  out_.add(size);
  return {Compression::kZstd, out_.span()};
}

}  // namespace kura::archive
