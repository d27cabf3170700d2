#include "archive/repo/decompress.h"

#include <memory>

#include <zstd.h>

namespace kura::archive {
namespace {

struct ContextDeleter {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

ZSTD_DCtx* thread_context() {
  static thread_local const std::unique_ptr<ZSTD_DCtx, ContextDeleter> context(ZSTD_createDCtx());
  return context.get();
}

}  // namespace

bool decompress(base::ByteSpan compressed, base::MutableByteSpan out) {
  const std::size_t frame = ZSTD_findFrameCompressedSize(compressed.data(), compressed.size());
  if (ZSTD_isError(frame) || frame != compressed.size()) return false;
  const std::size_t size =
      ZSTD_decompressDCtx(thread_context(), out.data(), out.size(), compressed.data(), compressed.size());
  return !ZSTD_isError(size) && size == out.size();
}

}  // namespace kura::archive
