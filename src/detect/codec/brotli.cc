#include "detect/codec/brotli.h"

#include <brotli/decode.h>

#include <algorithm>
#include <memory>

namespace kura::detect {

Inflated unpack_brotli(Window& in, Range range, Budget& budget) {
  constexpr std::size_t kView = 64U << 10;
  struct Destroy {
    void operator()(BrotliDecoderState* state) const { BrotliDecoderDestroyInstance(state); }
  };
  const std::unique_ptr<BrotliDecoderState, Destroy> state(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr));
  Inflated result;
  result.end = InflateEnd::kBroken;
  base::Bytes out(kView);
  while (state != nullptr) {
    const std::uint64_t left = range.size - result.used;
    const base::ByteSpan bytes =
        in.at(range.offset + result.used, static_cast<std::size_t>(std::min<std::uint64_t>(left, kView)));
    std::size_t unread = bytes.size();
    const std::uint8_t* next = bytes.data();
    BrotliDecoderResult said = BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT;
    while (said == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT) {
      std::size_t room = kView;
      std::uint8_t* to = out.data();
      const std::size_t before = unread;
      said = BrotliDecoderDecompressStream(state.get(), &unread, &next, &room, &to, nullptr);
      result.made += kView - room;
      if (!budget.spend(before - unread + kView - room + 1)) {
        result.end = InflateEnd::kOverBudget;
        return result;
      }
    }
    result.used += bytes.size() - unread;
    if (said == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT && !bytes.empty()) continue;
    if (said == BROTLI_DECODER_RESULT_SUCCESS) result.end = InflateEnd::kDone;
    if (said == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT) result.end = InflateEnd::kEndsEarly;
    break;
  }
  return result;
}

}  // namespace kura::detect
