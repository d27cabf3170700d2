#include "detect/codec/inflate.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>

#include <algorithm>
#include <array>
#include <memory>

namespace kura::detect {
namespace {

constexpr std::size_t kPiece = 64U << 10;

// The state is 80 KiB: not for a stack, and one a thread is enough.
struct Unpacker {
  inflate_state state;
  std::array<std::uint8_t, kPiece> out;
};

Unpacker& unpacker() {
  static thread_local const auto kept = std::make_unique<Unpacker>();
  return *kept;
}

}  // namespace

std::uint32_t crc32(base::ByteSpan bytes, std::uint32_t before) {
  return crc32_gzip_refl(before, bytes.data(), bytes.size());
}

std::uint32_t crc32(Window& in, Range range, Budget& budget, std::uint32_t before) {
  std::uint64_t offset = range.offset;
  std::uint64_t left = range.size;
  while (left > 0 && budget.spend(std::min<std::uint64_t>(left, kPiece))) {
    const base::ByteSpan bytes = in.at(offset, static_cast<std::size_t>(std::min<std::uint64_t>(left, kPiece)));
    if (bytes.empty()) break;
    before = crc32(bytes, before);
    offset += bytes.size();
    left -= bytes.size();
  }
  return before;
}

Inflated inflate(Window& in, Range range, Wrapping wrapping, Budget& budget, const Sink& sink) {
  Unpacker& unpacking = unpacker();
  inflate_state& state = unpacking.state;
  isal_inflate_init(&state);
  state.crc_flag = wrapping == Wrapping::kZlib ? ISAL_ZLIB : ISAL_DEFLATE;

  Inflated result;
  std::uint64_t offset = range.offset;
  std::uint64_t left = range.size;
  while (true) {
    const base::ByteSpan bytes = in.at(offset, static_cast<std::size_t>(std::min<std::uint64_t>(left, kPiece)));
    if (!budget.spend(bytes.size() + 1)) {
      result.end = InflateEnd::kOverBudget;
      return result;
    }
    state.next_in = const_cast<std::uint8_t*>(bytes.data());  // ISA-L only reads it
    state.avail_in = static_cast<std::uint32_t>(bytes.size());
    do {
      state.next_out = unpacking.out.data();
      state.avail_out = kPiece;
      const int code = isal_inflate(&state);
      const auto made = base::ByteSpan(unpacking.out).first(kPiece - state.avail_out);
      result.made += made.size();
      result.crc32 = crc32(made, result.crc32);
      result.used = offset - range.offset + (bytes.size() - state.avail_in);
      if (!budget.spend(made.size())) {
        result.end = InflateEnd::kOverBudget;
        return result;
      }
      if (sink && !made.empty() && !sink(made)) return result;
      if (code != ISAL_DECOMP_OK && code != ISAL_END_INPUT) {
        result.end = InflateEnd::kBroken;
        return result;
      }
    } while (state.block_state != ISAL_BLOCK_FINISH && (state.avail_in > 0 || state.avail_out == 0));
    if (state.block_state == ISAL_BLOCK_FINISH) {
      // Bytes that were read into the bit buffer and belong to what follows.
      result.used -= static_cast<std::uint64_t>(std::max(state.read_in_length, 0)) / 8;
      return result;
    }
    offset += bytes.size();
    left -= bytes.size();
    if (left == 0 || bytes.empty()) {
      result.end = InflateEnd::kEndsEarly;
      return result;
    }
  }
}

}  // namespace kura::detect
