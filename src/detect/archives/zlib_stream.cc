// A zlib stream (RFC 1950) that is a file: Git's loose objects, pigz -z, and behind four bytes of its unpacked size
// what Qt's qCompress writes.
#include "detect/archives/validators.h"
#include "detect/codec/inflate.h"

namespace kura::detect::zlib_stream {
namespace {

constexpr std::uint64_t kLooked = 4096;  // bytes that have to unpack for it to be recognised
constexpr std::uint64_t kQtSize = 4;

// DEFLATE with a window of 32 KiB, no dictionary, and the header's own check.
bool is_header(Window& in, std::uint64_t offset) {
  const std::uint16_t header = in.big16(offset).value_or(0);
  return header >> 8 == 0x78 && (header & 0x20) == 0 && header % 31 == 0;
}

bool begins_at(Window& in, std::uint64_t offset) {
  if (!is_header(in, offset)) return false;
  Budget budget(8U << 20);
  const Inflated got = inflate(in, {offset, std::min(kLooked, in.size() - offset)}, Wrapping::kZlib, budget);
  if (got.end == InflateEnd::kDone) return true;
  return got.end != InflateEnd::kBroken && in.size() - offset >= kLooked / 8;
}

}  // namespace

bool recognise(Window& in) { return begins_at(in, 0) || begins_at(in, kQtSize); }

Report check(Window& in, Budget& budget) {
  const std::uint64_t start = is_header(in, 0) ? 0 : kQtSize;
  const Inflated got = inflate(in, {start, in.size() - start}, Wrapping::kZlib, budget);
  if (got.end == InflateEnd::kOverBudget) return over_budget();
  if (got.end == InflateEnd::kBroken) return broken(start + got.used, "the stream does not unpack");
  if (got.end == InflateEnd::kEndsEarly) return broken(in.size(), "the stream ends early");
  const std::uint64_t end = start + got.used;
  return end < in.size() ? whole({{{end, in.size() - end}, Density::kDense}}) : whole();
}

}  // namespace kura::detect::zlib_stream
